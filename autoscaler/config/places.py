"""Say where a key or a value stands in a configuration: by its path of keys, and by line and column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line and a column, both counted from 1."""

    line: int
    column: int


def path_text(path: KeyPath) -> str:
    """Write keys and positions in lists: ``formation.worker.policies[0].target``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part if part.isprintable() else repr(part)}"
    return text.removeprefix(".")
