"""Read measured durations from a file."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from autoscaler.model import AutoscalerError
from autoscaler_simulations.arrays import Floats

COLUMN = "service_s"


class DurationsError(AutoscalerError):
    """A file of durations cannot be used; the text names file, row and value."""


def read_durations(path: str) -> Floats:
    """Return the seconds that a file holds: one a line, or the column ``service_s`` of a CSV file, wherever it stands.

    Blank lines are passed over. Raises ``DurationsError`` for a file that cannot be read, for a value that is no number, negative
    or not finite, and when there is none above 0.
    """
    values = np.fromiter(_values(path), dtype=np.float64)
    if not values.any():
        raise DurationsError(f"{path}: {'every duration is 0' if len(values) else 'holds no durations'}; write one a line, in seconds")
    return values


def _values(path: str) -> Iterator[float]:
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            yield from _numbers(path, csv.reader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise DurationsError(f"{path}: {said}; give a text file with one duration a line, in seconds") from error


def _numbers(path: str, rows: Iterator[list[str]]) -> Iterator[float]:
    numbered = ((number, row) for number, row in enumerate(rows, start=1) if row)
    first, head = next(numbered, (1, [COLUMN]))
    if COLUMN in (names := [name.strip() for name in head]):
        for number, row in numbered:
            yield _number(f"{path}:{number}", _cell(f"{path}:{number}", row, names.index(COLUMN)))
        return
    for number, row in chain([(first, head)], numbered):
        yield _number(f"{path}:{number}", _only(f"{path}:{number}", row))


def _cell(place: str, row: list[str], column: int) -> str:
    if column >= len(row):
        raise DurationsError(f"{place}: the row {','.join(row)!r} ends before the column {COLUMN}; give it a duration in seconds")
    return row[column]


def _only(place: str, row: list[str]) -> str:
    if len(row) > 1:
        raise DurationsError(f"{place}: {','.join(row)!r} has {len(row)} columns; keep one, or name the durations {COLUMN} in a first row")
    return row[0]


def _number(place: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise DurationsError(f"{place}: {text!r} is no number; write a duration in seconds, such as 0.25") from None
    if not (math.isfinite(seconds) and seconds >= 0):
        raise DurationsError(f"{place}: {text} is no duration; write seconds, 0 or more")
    return seconds
