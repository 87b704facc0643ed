"""Every mistake of a configuration in one error, each at its line and column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from autoscaler.model import AutoscalerError


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing to correct; line and column count from 1, and line 0 stands for the file as a whole."""

    line: int
    column: int
    path: str  # such as formation.worker.minimum, empty for the file itself
    message: str

    def said_of(self, name: str) -> str:
        """Write the mistake on one line, after the name of its file."""
        place = f"{name}:{self.line}:{self.column}" if self.line else name
        sentence = " ".join(self.message.split())
        return f"{place}: {self.path}: {sentence}" if self.path else f"{place}: {sentence}"


class ConfigurationError(AutoscalerError):
    """A configuration cannot be used; the text has one line for each mistake, in the order of the file."""

    def __init__(self, name: str, mistakes: Iterable[Mistake]) -> None:
        """Keep the file's name and its mistakes, sorted by line."""
        self.name = name
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(mistake.said_of(name) for mistake in self.mistakes))
