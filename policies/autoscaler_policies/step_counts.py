"""Count the readings of each band over a sliding time."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any, TypeAlias, TypedDict

from autoscaler.model import Reading
from autoscaler_policies.step_runs import IsLike

_SLICES = 60  # of the time, counted together

Slice: TypeAlias = "list[Any]"  # Any: JSON of our own. From (monotonic seconds), then the readings of each band


class Counted(TypedDict):
    """The readings of a time, slice by slice."""

    at: float  # time of the newest reading
    values: list[float]  # a reading of each band that was seen
    totals: list[int]  # of all slices, in the order of values
    slices: list[Slice]  # oldest first


def counting(past: Counted | None, reading: Reading, seconds: float, is_like: IsLike) -> Counted:
    """Count one more reading, and no longer a slice that began more than ``seconds`` before: none is counted for too long."""
    if past is not None and reading.at == past["at"]:
        return past
    if past is None or reading.at < past["at"]:
        return {"at": reading.at, "values": [reading.value], "totals": [1], "slices": [[reading.at, 1]]}
    column = next((column for column, value in enumerate(past["values"]) if is_like(value, reading.value)), len(past["values"]))
    values = past["values"] if column < len(past["values"]) else [*past["values"], reading.value]
    totals, slices = _without_old(past, reading.at - seconds)
    totals += [0] * (len(values) - len(totals))
    totals[column] += 1
    return {"at": reading.at, "values": values, "totals": totals, "slices": _added(slices, reading.at, column, seconds)}


def _without_old(past: Counted, start: float) -> tuple[list[int], list[Slice]]:
    totals, slices, first = list(past["totals"]), past["slices"], 0
    while first < len(slices) and slices[first][0] < start:
        totals = [total - old for total, old in zip_longest(totals, slices[first][1:], fillvalue=0)]
        first += 1
    return totals, slices[first:]


def _added(slices: list[Slice], at: float, column: int, seconds: float) -> list[Slice]:
    is_in_newest = bool(slices) and slices[-1][0] * _SLICES // seconds == at * _SLICES // seconds
    newest = list(slices[-1]) if is_in_newest else [at]
    newest += [0] * (column + 2 - len(newest))
    newest[column + 1] += 1
    return [*(slices[:-1] if is_in_newest else slices), newest]
