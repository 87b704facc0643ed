"""Count the same requests a second time, from when they came, started and ended, so that a wrong count cannot go unseen."""

from __future__ import annotations

import math
import sys

import numpy as np

from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.plant.conservation import ConservationError
from autoscaler_simulations.plant.queue import Tally

_TOLERANCE = 1e-9
_ROUNDINGS = 8  # in the times of one request: of its arrival, start, end and their differences


class Ledger:
    """The numbers that wait and are busy, and the areas under them, by adding up events; it knows neither queue nor slots.

    A request that comes, or starts, at ``t`` adds ``T - t`` to an area up to ``T``, one that leaves takes as much away, whenever it is
    noted: so the order in which batches are written does not matter.
    """

    def __init__(self) -> None:
        """Begin at second 0 with nothing."""
        self._at = 0.0
        self._coming: list[Floats] = []  # arrivals that are known ahead
        self._ends = np.empty(0)  # of the jobs in hand
        self.arrived = self.completed = self.waiting = self.busy = 0
        self._waiting_seconds = self._busy_seconds = 0.0
        self._events, self._latest = 0, 0.0  # the latest moment in any event

    def expect(self, arrivals: Floats) -> None:
        """Note arrivals ahead of their time."""
        self._coming.append(arrivals)

    def settle(self, at: float, starts: Floats, services: Floats) -> None:
        """Note what started since the last time, and let come and end what does so up to ``at``."""
        self._pass_time(at)
        came = self._come(at)
        ends = np.concatenate((self._ends, starts + services))
        self._latest = max(self._latest, at, ends.max(initial=0.0))
        is_over = ends <= at
        self._ends = ends[~is_over]
        self._wait(came, +1)
        self._wait(starts, -1)
        self._work(starts, +1)
        self._work(ends[is_over], -1)
        self.arrived += len(came)
        self.completed += int(is_over.sum())

    def refuse(self, arrivals: Floats) -> None:
        """Note requests that did not wait."""
        self._wait(arrivals, -1)

    def kill(self, ends: Floats) -> None:
        """Note jobs in hand, by when they would have ended, as stopped now; raise ``ConservationError`` for one that is not in hand."""
        for end in ends:
            (found,) = np.nonzero(self._ends == end)
            if not len(found):
                raise ConservationError(f"a job that ends at {end:g} s was killed at {self._at:g} s, though none such was in hand")
            self._ends = np.delete(self._ends, found[0])
        self._work(np.full(len(ends), self._at), -1)

    def come_back(self, number: int) -> None:
        """Note killed jobs as waiting again from now on."""
        self._wait(np.full(number, self._at), +1)

    def check(self, tally: Tally) -> None:
        """Raise ``ConservationError`` unless the tally agrees with this ledger and every request is somewhere.

        Held are: arrivals against completed, waiting, busy, dropped and lost, as whole numbers; Little's law (1961) on the path itself, that the
        area under ``waiting`` is the sum of all waits; and that the area under ``busy`` is the work done. Areas may differ by 1e-9,
        and by the rounding of the times themselves.
        """
        somewhere = self.completed + tally.waiting + tally.busy + tally.dropped + tally.lost
        self._equal("requests that arrived, and are completed, waiting, busy, dropped or lost", self.arrived, somewhere)
        for name in ("arrived", "completed", "waiting", "busy"):
            self._equal(f"requests {name}", getattr(self, name), getattr(tally, name))
        self._near("the area under `waiting` (Little's law)", self._waiting_seconds, tally.waiting_seconds)
        self._near("the area under `busy` (the work done)", self._busy_seconds, tally.busy_seconds)

    def _pass_time(self, at: float) -> None:
        self._waiting_seconds += self.waiting * (at - self._at)
        self._busy_seconds += self.busy * (at - self._at)
        self._at = at

    def _come(self, at: float) -> Floats:
        coming = np.concatenate(self._coming) if self._coming else np.empty(0)
        number = int(np.searchsorted(coming, at, side="right"))
        self._coming = [coming[number:]] if number < len(coming) else []
        return coming[:number]

    def _wait(self, times: Floats, sign: int) -> None:
        self.waiting += sign * len(times)
        self._waiting_seconds += sign * float((self._at - times).sum())
        self._events += len(times)

    def _work(self, times: Floats, sign: int) -> None:
        self.busy += sign * len(times)
        self._busy_seconds += sign * float((self._at - times).sum())
        self._events += len(times)

    def _equal(self, what: str, counted: float, told: float) -> None:
        if counted != told:
            raise ConservationError(f"at {self._at:g} s, {what}: {counted:g} by events, {told:g} by the queue; the plant lost count")

    def _near(self, what: str, counted: float, told: float) -> None:
        rounding = _ROUNDINGS * sys.float_info.epsilon * self._latest * self._events
        if not math.isclose(counted, told, rel_tol=_TOLERANCE, abs_tol=rounding):
            raise ConservationError(f"at {self._at:g} s, {what}: {counted:.12g} s by events, {told:.12g} s by requests; the plant lost count")
