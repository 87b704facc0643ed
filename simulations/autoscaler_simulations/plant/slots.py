"""Keep the slots of processes that come and go, each with the job it has in hand."""

from __future__ import annotations

import heapq
from typing import TypeAlias

# When the slot is free, its process, and its last job: arrival, start, service. A bare tuple, since one is made for every request; a
# heap of them has the slot that is free first at its head, of idle ones the one that is idle longest.
Slot: TypeAlias = tuple[float, int, float, float, float]


class Slots:
    """The slots of one process type, which take work first come first served."""

    def __init__(self) -> None:
        """Begin without any."""
        self._open: list[Slot] = []
        self._draining: dict[int, list[Slot]] = {}

    def __len__(self) -> int:
        """Count the open ones: those of draining processes take no more work."""
        return len(self._open)

    def earliest(self) -> float | None:
        """Return when the next open slot is free, or was; ``None`` when there is none."""
        return self._open[0][0] if self._open else None

    def take(self, arrival: float, start: float, service: float) -> None:
        """Give a job to the slot that is free first."""
        heapq.heapreplace(self._open, (start + service, self._open[0][1], arrival, start, service))

    def serve(self, arrivals: list[float], services: list[float], until: float) -> list[float]:
        """Start jobs in turn, each at its arrival or when a slot is free, up to ``until``; return the starts.

        The recursion of Kiefer and Wolfowitz (1955) on a heap of the times at which slots are free.
        """
        slots, replace = self._open, heapq.heapreplace
        starts: list[float] = []
        started = starts.append
        if not slots:
            return starts
        for arrival, service in zip(arrivals, services, strict=True):
            first = slots[0]
            start = first[0]
            if start < arrival:  # noqa: PLR1730 - max() here would take as long as all the rest
                start = arrival
            if start > until:
                break
            replace(slots, (start + service, first[1], arrival, start, service))
            started(start)
        return starts

    def open(self, process: int, number: int, now: float) -> None:
        """Add idle slots of a process."""
        for _ in range(number):
            heapq.heappush(self._open, (now, process, now, now, 0.0))

    def drain(self, process: int, now: float) -> float:
        """Take a process's slots out, the busy ones with their jobs; return when the last job ends, now when there is none."""
        busy = self._draining[process] = self.close(process, now)
        return max((slot[0] for slot in busy), default=now)

    def close(self, process: int, now: float) -> list[Slot]:
        """Take a process's slots out, draining or not; return those with a job in hand."""
        return [slot for slot in (*self._remove(process), *self._draining.pop(process, ())) if slot[0] > now]

    def left(self, now: float) -> list[float]:
        """Return how many seconds of work are left of each job in hand, those of draining processes included."""
        draining = (slot for slots in self._draining.values() for slot in slots)
        return [slot[0] - now for slots in (self._open, draining) for slot in slots if slot[0] > now]

    def _remove(self, process: int) -> list[Slot]:
        removed = [slot for slot in self._open if slot[1] == process]
        self._open = [slot for slot in self._open if slot[1] != process]
        heapq.heapify(self._open)
        return removed
