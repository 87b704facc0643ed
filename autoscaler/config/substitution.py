"""Put values of the environment where a configuration says ``${NAME}``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from autoscaler.config.document import Document
from autoscaler.config.errors import Mistake
from autoscaler.config.places import KeyPath, path_text

_REFERENCE = re.compile(
    r"\$(?P<escaped>\$(?=\{))"
    r"|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(:-(?P<default>[^{}]*))?\}"
    r"|(?P<wrong>\$\{[^}]*\}?)"
)  # fmt: skip
_SHORT = 4  # characters; a shorter value is only hidden where it stands alone


class Substituted(str):
    """Text that came from the environment; what is shown of it is ``written``."""

    __slots__ = ("defaults", "problem", "values", "written")

    written: str  # as it stands in the file
    values: tuple[str, ...]  # what the environment said
    defaults: tuple[str, ...]  # what stood in the file instead
    problem: str | None  # why there is no text

    def __repr__(self) -> str:
        """Show the reference, never the text."""
        return repr(self.written)


def substitute(document: Document, environment: Mapping[str, str]) -> Document:
    """Fill in ``${NAME}`` and ``${NAME:-default}`` in every text value; ``$${`` stands for ``${``.

    A name that is not set becomes a mistake of the document.
    """
    substitution = _Substitution(environment)
    data = substitution.walk((), document.written)
    mistakes = []
    for path, problem in substitution.problems.items():
        place = document.value_place(path)
        mistakes.append(Mistake(place.line, place.column, path_text(path), problem))
    broken = document.broken | substitution.problems.keys()
    return replace(document, data=data, mistakes=(*document.mistakes, *mistakes), broken=frozenset(broken))


def hide(sentence: str, data: object) -> str:
    """Replace every text in ``data`` that came from the environment, as a sentence about it holds it, by its reference."""
    for secret in _substituted(data):
        for text in sorted({str(secret), *secret.values}, key=len, reverse=True):
            if text:
                sentence = _hide(sentence, text, secret.written)
    return sentence


def _substituted(data: object) -> Iterator[Substituted]:
    if isinstance(data, Substituted):
        yield data
    items = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    for item in items:
        yield from _substituted(item)


def _hide(sentence: str, text: str, reference: str) -> str:
    if len(text) >= _SHORT:
        return sentence.replace(text, reference)
    return re.sub(rf"(?<![\w.]){re.escape(text)}(?![\w.])", lambda _: reference, sentence)


class _Substitution:
    """Walk plain data and fill in references, noting those that cannot be."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.problems: dict[KeyPath, str] = {}

    def walk(self, path: KeyPath, value: object) -> object:
        """Copy a value with its references filled in."""
        if isinstance(value, dict):
            return {key: self.walk((*path, key), item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.walk((*path, index), item) for index, item in enumerate(value)]
        return self._text(path, value) if isinstance(value, str) and "${" in value else value

    def _text(self, path: KeyPath, written: str) -> Substituted:
        matches = list(_REFERENCE.finditer(written))
        problem = next((said for match in matches if (said := self._problem(match))), None)
        text = Substituted("" if problem else _REFERENCE.sub(self._fill, written))
        text.written = written
        text.problem = problem
        text.values = tuple(value for match in matches if match["name"] and (value := self.environment.get(match["name"])))
        text.defaults = tuple(match["default"] for match in matches if match["default"])
        if problem:
            self.problems[path] = problem
        return text

    def _problem(self, match: re.Match[str]) -> str | None:
        name = match["name"]
        if match["wrong"]:
            return f"{match['wrong']!r} is neither ${{NAME}} nor ${{NAME:-default}}; write $${{ for a plain ${{"
        if name and match["default"] is None and name not in self.environment:
            return f"${{{name}}} is not set in the environment; set it, write ${{{name}:-default}}, or $${{{name}}} to pass it on as it is"
        return None

    def _fill(self, match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        return self.environment.get(match["name"]) or match["default"] or ""
