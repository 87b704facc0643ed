"""Read two columns of numbers from a CSV file, and name its mistakes by line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.load.errors import TraceError
from autoscaler_simulations.load.text_file import quoted, read_text


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The rows of a CSV file below its header."""

    path: str
    header: tuple[str, ...]
    skipped: int  # lines up to the header
    body: str

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line and the cells of each row that is not blank; raise ``TraceError`` for one of another width."""
        reader = csv.reader(io.StringIO(self.body), strict=True)
        try:
            for cells in reader:
                if len(cells) > 1 or "".join(cells).strip():
                    line = self.skipped + reader.line_num
                    if len(cells) != len(self.header):
                        raise self.mistake(line, f"the row has {_cells(len(cells))} and the header {len(self.header)}; write as many")
                    yield line, cells
        except csv.Error as error:
            raise self.mistake(self.skipped + reader.line_num, f"{error}; correct the quotation marks") from error

    def mistake(self, line: int, said: str) -> TraceError:
        """Return the error of a line."""
        return TraceError(f"{self.path}:{line}: {said}")


@dataclass(frozen=True, slots=True, eq=False)
class NumberTable:
    """Two columns of a CSV file, found by their names."""

    names: tuple[str, str]
    values: tuple[Floats, Floats]  # of at least one row
    _sheet: _Sheet

    def refuse(self, bad: npt.NDArray[np.bool_], column: int, said: str) -> None:
        """Raise ``TraceError`` for the first bad row, if there is one, naming line, column and value."""
        if bad.any():
            row = int(bad.argmax())
            raise self._sheet.mistake(self.line(row), f"{self.names[column]}: {self.values[column][row]:.15g} {said}")

    def line(self, row: int) -> int:
        """Return the line of a row that is counted from 0."""
        return next(islice(self._sheet.rows(), row, None))[0]


def open_table(path: str | Path, kinds: Sequence[tuple[str, str]]) -> NumberTable:
    """Read the two columns of the one kind whose names are all in the header.

    Accepts a byte order mark, any line ends, blank lines and quoted cells. Raises ``TraceError`` for a file that cannot be read, has
    the columns of no kind or of several, has no rows, or has a row of another width or without a number.
    """
    sheet = _sheet(str(path), read_text(path))
    names = _kind(sheet, kinds)
    if not sheet.body.strip():
        raise sheet.mistake(sheet.skipped, "no row follows the header; write one for each interval or job")
    values = _values(sheet, names)
    return NumberTable(names, (values[:, 0].copy(), values[:, 1].copy()), sheet)


def _sheet(path: str, text: str) -> _Sheet:
    first = text.lstrip()
    if not first:
        raise TraceError(f"{path}: the file is empty; begin it with a header")
    above = text.count("\n", 0, len(text) - len(first))
    header, _, body = first.partition("\n")
    try:
        cells = next(csv.reader([header]))
    except csv.Error as error:
        raise TraceError(f"{path}:{above + 1}: {error}; begin the file with a header") from error
    return _Sheet(path, tuple(cell.strip() for cell in cells), above + 1, body)


def _kind(sheet: _Sheet, kinds: Sequence[tuple[str, str]]) -> tuple[str, str]:
    found = [names for names in kinds if set(names) <= set(sheet.header)]
    wanted = " or ".join(",".join(names) for names in kinds)
    if not found:
        raise sheet.mistake(sheet.skipped, f"the header is {quoted(','.join(sheet.header))}; it needs the columns {wanted}, apart by commas")
    if len(found) > 1 or any(sheet.header.count(name) > 1 for name in found[0]):
        raise sheet.mistake(sheet.skipped, f"the header is {quoted(','.join(sheet.header))}; leave one column of each name, of {wanted}")
    return found[0]


def _values(sheet: _Sheet, names: tuple[str, str]) -> Floats:
    """Read the numbers at once; row by row where that fails, since a cell may be quoted or must be named as a mistake."""
    columns = [sheet.header.index(name) for name in names]
    commas = len(sheet.header) - 1
    if all(line.count(",") == commas for line in sheet.body.split("\n") if line):
        try:
            return np.loadtxt(io.StringIO(sheet.body), delimiter=",", usecols=columns, comments=None, ndmin=2)
        except ValueError:
            pass
    return np.array([[_number(sheet, line, sheet.header[at], cells[at]) for at in columns] for line, cells in sheet.rows()])


def _number(sheet: _Sheet, line: int, name: str, cell: str) -> float:
    try:
        return float(cell.replace("_", "no digit"))
    except ValueError as error:
        raise sheet.mistake(line, f"{name}: {quoted(cell)} is not a number; write one, or leave the row out") from error


def _cells(number: int) -> str:
    return "1 cell" if number == 1 else f"{number} cells"
