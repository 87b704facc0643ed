"""Lay out measured figures for people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """A title, the heads of its columns, and rows of text."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        """Write the first column to the left, figures to the right."""
        widths = [max(len(row[column]) for row in (self.heads, *self.rows)) for column in range(len(self.heads))]
        return "\n".join([self.title, *("  " + _line(row, widths) for row in (self.heads, *self.rows))])


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    first, *rest = (text.ljust(width) if column == 0 else text.rjust(width) for column, (text, width) in enumerate(zip(row, widths, strict=True)))
    return "  ".join([first, *rest])
