"""Keep readings as runs of one band, so that a long time takes little room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from autoscaler.model import Reading

# Any: JSON of our own. From, to (monotonic seconds), a reading of the band, number of readings. None for the reading: joined from
# readings that call for opposite directions, and calls for nothing.
Run: TypeAlias = "list[Any]"
Milder: TypeAlias = "Callable[[float | None, float | None], float | None]"
IsLike: TypeAlias = "Callable[[float | None, float], bool]"

_SLICES = 60  # of the time or number that is looked back on; runs are joined within one
_LOOKED_BACK = 3  # runs among which a reading of the same band is looked for


def with_reading(runs: list[Run], reading: Reading, is_like: IsLike, longest_gap: float) -> list[Run]:
    """Return the runs with one more reading; they begin anew after a gap longer than ``longest_gap`` and when time went back."""
    if runs and reading.at == runs[-1][1]:
        return runs
    if not runs or not 0 < reading.at - runs[-1][1] <= longest_gap:
        return [[reading.at, reading.at, reading.value, 1]]
    begin, _, value, count = runs[-1]
    if is_like(value, reading.value):
        return [*runs[:-1], [begin, reading.at, value, count + 1]]
    # One number for a band makes it cheap to find the few bands of many runs.
    known = next((run[2] for run in runs[-_LOOKED_BACK:] if run[2] is not None and is_like(run[2], reading.value)), reading.value)
    return [*runs, [reading.at, reading.at, known, 1]]


def joined_in_time(runs: list[Run], seconds: float, milder: Milder) -> list[Run]:
    """Join the newest two runs when both began in one slice of ``seconds``."""
    if len(runs) == 1 or runs[-1][0] * _SLICES // seconds != runs[-2][0] * _SLICES // seconds:
        return runs
    return _joined(runs, milder)


def joined_in_number(runs: list[Run], readings: int, milder: Milder) -> list[Run]:
    """Join the newest two runs when together they are no more than two slices of so many readings."""
    if len(runs) == 1 or (runs[-1][3] + runs[-2][3]) * _SLICES > 2 * readings:
        return runs
    return _joined(runs, milder)


def since(runs: list[Run], start: float) -> list[Run]:
    """Forget what lies before ``start``, but for the run that proves that readings are known from there on."""
    first = 0
    while first + 1 < len(runs) and runs[first + 1][0] <= start:
        first += 1
    return runs[first:] if first else runs


def last(runs: list[Run], readings: int) -> list[Run]:
    """Forget all but the last so many readings."""
    excess = sum(run[3] for run in runs) - readings
    first = 0
    while excess >= runs[first][3]:
        excess -= runs[first][3]
        first += 1
    if excess <= 0:
        return runs[first:] if first else runs
    begin, end, value, count = runs[first]
    return [[begin, end, value, count - excess], *runs[first + 1 :]]


def _joined(runs: list[Run], milder: Milder) -> list[Run]:
    """Make one run of the newest two: it calls for no more than either, and is as old as the newer, so that no change is made too early."""
    (begin, _, value, count), (_, end, other, more) = runs[-2:]
    return [*runs[:-2], [begin, end, milder(value, other), count + more]]
