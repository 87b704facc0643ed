"""Read a trace from a CSV file."""

from __future__ import annotations

from math import floor
from pathlib import Path

import numpy as np

from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.load.number_table import NumberTable, open_table
from autoscaler_simulations.load.trace import JobList, RateCurve, Trace

_COUNTS = ("timestamp_s", "requests")
_JOBS = ("arrival_s", "service_s")
_MOST = 1e12  # seconds or requests: milliseconds since 1970 are more
_UNEVEN = 0.01  # of an interval: how far a rounded timestamp may be off


def read_trace(path: str | Path) -> Trace:
    """Read a trace, whose kind is told by the names of its columns; other columns are left alone.

    ``timestamp_s`` and ``requests``, one row for each of equal intervals, become a rate curve: the seconds at which an interval
    begins, and what arrived in it. Whole numbers in all rows are counts, to be repeated exactly. ``arrival_s`` and ``service_s``, one
    row a job, become a job list, which ends with the whole second after the last arrival. The first row is second 0. Raises
    ``TraceError`` naming file, line, column, value and fix.
    """
    table = open_table(path, (_COUNTS, _JOBS))
    return _curve(table) if table.names == _COUNTS else _jobs(table)


def _curve(table: NumberTable) -> RateCurve:
    times, requests = _checked(table)
    table.refuse(requests < 0, 1, "is below 0; write how many requests arrived in the interval")
    if len(times) == 1:
        table.refuse(times >= 0, 0, "is the only row, so that the length of an interval is unknown; write at least two")
    gaps = np.diff(times, prepend=np.nan)
    table.refuse(gaps <= 0, 0, "is not after the row before it; sort the rows, and leave out those that are there twice")
    _refuse_uneven(table, times, gaps)
    interval = float(times[-1] - times[0]) / (len(times) - 1)
    return RateCurve(interval, requests / interval, are_counts=bool((requests == np.rint(requests)).all()))


def _refuse_uneven(table: NumberTable, times: Floats, gaps: Floats) -> None:
    """Refuse a row that does not lie one interval, the lower median, after the row before it."""
    interval = float(np.sort(gaps[1:])[(len(gaps) - 2) // 2])
    uneven = np.abs(gaps - interval) > _UNEVEN * interval
    if not uneven.any():
        return
    row = int(uneven.argmax())
    missing = round(gaps[row] / interval) - 1
    is_gap = missing > 0 and abs(gaps[row] - (missing + 1) * interval) <= _UNEVEN * interval
    fix = f"fill in the {missing} missing, with 0 where nothing arrived" if is_gap else "write one row for each of equal intervals"
    before = f"comes {gaps[row]:.15g} s after {times[row - 1]:.15g} of line {table.line(row - 1)}"
    table.refuse(uneven, 0, f"{before}, and an interval is {interval:.15g} s; {fix}")


def _jobs(table: NumberTable) -> JobList:
    arrivals, services = _checked(table)
    table.refuse(services <= 0, 1, "is not above 0; write the seconds of work, or leave the job out")
    table.refuse(np.diff(arrivals, prepend=-np.inf) < 0, 0, "is before the row above it; sort the rows by arrival")
    arrivals -= arrivals[0]
    return JobList(arrivals, services, length_seconds=floor(arrivals[-1]) + 1.0)


def _checked(table: NumberTable) -> tuple[Floats, Floats]:
    for column in (0, 1):
        values = table.values[column]
        table.refuse(~np.isfinite(values), column, "is no finite number; write one, or leave the row out")
        table.refuse(
            values > _MOST, column, f"is above {_MOST:g}; write seconds, not parts of them" if column == 0 else f"is above {_MOST:g}; correct it"
        )
    table.refuse(table.values[0] < 0, 0, "is below 0; write the seconds since the start")
    return table.values
