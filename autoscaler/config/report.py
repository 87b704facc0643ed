"""Collect what is wrong with one document, each sentence at its place."""

from __future__ import annotations

from autoscaler.config.document import Document
from autoscaler.config.errors import ConfigurationError, Mistake
from autoscaler.config.places import KeyPath, Place, path_text


class Report:
    """The mistakes and warnings found in a document so far."""

    def __init__(self, document: Document) -> None:
        """Begin with what reading the document found."""
        self.document = document
        self._mistakes = list(document.mistakes)
        self._warnings: list[Mistake] = []
        self._paths: set[KeyPath] = set(document.broken)

    def at_value(self, path: KeyPath, message: str) -> None:
        """Add a mistake at the value of a key."""
        self._add(path, self.document.value_place(path), message)

    def at_key(self, path: KeyPath, message: str) -> None:
        """Add a mistake at a key, or at the key around one that is not there."""
        self._add(path, self.document.key_place(path), message)

    def missing(self, path: KeyPath, message: str) -> None:
        """Add a mistake about a key that should be there, at the key around it."""
        self._add(path, self.document.key_place(path[:-1]), message)

    def warn(self, path: KeyPath, message: str) -> None:
        """Add what an operator should know although it is no mistake."""
        place = self.document.key_place(path)
        self._warnings.append(Mistake(place.line, place.column, path_text(path), message))

    def is_wrong(self, path: KeyPath) -> bool:
        """Tell whether a mistake at this very path is known."""
        return path in self._paths

    def warnings(self) -> tuple[str, ...]:
        """Write the warnings, sorted by line."""
        return tuple(warning.said_of(self.document.name) for warning in sorted(set(self._warnings)))

    def finish(self) -> None:
        """Raise ``ConfigurationError`` with all mistakes, if there are any."""
        if self._mistakes:
            raise ConfigurationError(self.document.name, self._mistakes)

    def _add(self, path: KeyPath, place: Place, message: str) -> None:
        if path in self.document.broken:
            return
        self._paths.add(path)
        self._mistakes.append(Mistake(place.line, place.column, path_text(path), message))
