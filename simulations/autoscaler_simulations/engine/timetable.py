"""Keep what happens when in a simulation: at intervals, or once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from typing import NamedTuple

_MICROSECONDS = 6


class _Entry(NamedTuple):
    at: float
    order: int
    call: Callable[[float], None]
    every_seconds: float  # 0: once


class Timetable:
    """Calls in the order of their times; at one moment, those of the lower ``order`` first.

    An interval never drifts: times are whole microseconds.
    """

    def __init__(self) -> None:
        """Begin with nothing planned."""
        self._entries: list[_Entry] = []

    def once(self, at: float, order: int, call: Callable[[float], None]) -> None:
        """Plan a call; no other one may have this order, unless it is over by then."""
        heappush(self._entries, _Entry(round(at, _MICROSECONDS), order, call, 0.0))

    def every(self, seconds: float, first: float, order: int, call: Callable[[float], None]) -> None:
        """Plan a call for each interval; no other one may have this order."""
        heappush(self._entries, _Entry(round(first, _MICROSECONDS), order, call, seconds))

    def run(self, until: float) -> Iterator[float]:
        """Make the calls up to a time, that time included; yield the time after each."""
        entries = self._entries
        while entries and entries[0].at <= until:
            at, order, call, every_seconds = heappop(entries)
            if every_seconds:
                heappush(entries, _Entry(round(at + every_seconds, _MICROSECONDS), order, call, every_seconds))
            call(at)
            yield at
