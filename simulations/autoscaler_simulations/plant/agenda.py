"""Keep what will happen to the processes of one type, in the order of its time."""

from __future__ import annotations

import math
from collections.abc import Callable
from heapq import heappop, heappush
from typing import NamedTuple

from autoscaler_simulations.plant.process import SimulatedProcess


class Event(NamedTuple):
    """Something that happens at a time; of several at one moment, what was planned first comes first."""

    at: float
    order: int
    happen: Callable[[], None]
    process: SimulatedProcess | None
    serial: int  # of the run of the process that it was planned for

    @property
    def is_stale(self) -> bool:
        """Tell whether that run is over, so that nothing happens."""
        return self.process is not None and self.process.serial != self.serial


class Agenda:
    """Events in order; those of runs that are over are dropped on the way."""

    def __init__(self) -> None:
        """Begin with nothing planned."""
        self.next_at = math.inf
        self._events: list[Event] = []
        self._order = 0

    def plan(self, at: float, happen: Callable[[], None], process: SimulatedProcess | None = None) -> None:
        """Let something happen at a time, but not when the present run of ``process`` has ended by then."""
        self._order += 1
        heappush(self._events, Event(at, self._order, happen, process, process.serial if process else 0))
        self.next_at = self._events[0].at

    def take(self, until: float) -> Event | None:
        """Take out the next event up to ``until``; ``None`` when there is none."""
        found: Event | None = None
        while found is None and self._events and self._events[0].at <= until:
            event = heappop(self._events)
            found = None if event.is_stale else event
        self.next_at = self._events[0].at if self._events else math.inf
        return found
