"""Collect how the requests of one process type fared against their objective, in memory that does not grow with their number."""

from __future__ import annotations

import math
from array import array

import numpy as np

from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.score.errors import ScoreError
from autoscaler_simulations.score.objective import ROUNDING_SECONDS, Objective
from autoscaler_simulations.score.sketch import Sketch
from autoscaler_simulations.score.waits import Waits

_HOUR = 3600.0
_DAY = 24 * _HOUR
_DAYS_FROM = 7 * _DAY  # a shorter run is cut into hours, so that there are enough blocks to draw from
_NARROWEST_BUCKET = 60.0
_MOST_BUCKETS = 10_000
_ROUNDING = 1e-9  # 0.01 of 100 requests is a little more than 1, and what is taken back leaves a little more than none


class Outcomes:
    """Counts, percentiles, and what was over the objective when; requests belong to the time of their arrival.

    Time is cut into buckets, a whole number of them to each hour or day.
    """

    def __init__(self, objective: Objective, length_seconds: float) -> None:
        """Begin with no request; raises ``ScoreError`` for a length that is not above 0."""
        if not 0 < length_seconds < math.inf:
            raise ScoreError(f"length: {length_seconds} s cannot be scored; give a length above 0")
        self.objective = objective
        self.block_seconds = _DAY if length_seconds >= _DAYS_FROM else _HOUR
        self._length = length_seconds
        self._buckets_a_block = max(1, int(self.block_seconds / max(_NARROWEST_BUCKET, length_seconds / _MOST_BUCKETS)))
        self.bucket_seconds = self.block_seconds / self._buckets_a_block
        self._last = max(0, math.ceil(length_seconds / self.bucket_seconds) - 1)
        # One memory seen twice: an array is quick with one number, numpy with many.
        self._number, self._over = array("d", bytes(8 * (self._last + 1))), array("d", bytes(8 * (self._last + 1)))
        self._numbers: Floats = np.frombuffer(self._number)
        self._overs: Floats = np.frombuffer(self._over)
        self._waits, self._responses = Sketch(), Sketch()

    def add(self, arrivals: Floats, waits: Floats, services: Floats) -> None:
        """Count requests as they start, in seconds, one row each; they are taken to finish."""
        if not len(arrivals):
            return
        self._waits.add(waits)
        self._responses.add(waits + services)
        self._count(arrivals, self.objective.is_exceeded(waits, services).astype(np.float64))

    def retract(self, arrival: float, wait: float, service: float) -> None:
        """Take back one request that was added: its process was killed before it finished."""
        waits, services = np.array([wait]), np.array([service])
        self._waits.remove(waits)
        self._responses.remove(waits + services)
        self.add_share(arrival, -1.0, -float(self.objective.is_exceeded(waits, services)[0]))

    def refuse(self, at: float, number: float = 1.0) -> None:
        """Count requests that were dropped or lost: over the objective, and in no percentile."""
        self.add_share(at, number, number)

    def leave_waiting(self, arrivals: Floats, now: float) -> None:
        """Count those that still wait at the end and are over the objective already; how the others end nobody knows."""
        late = arrivals[now - arrivals > self.objective.seconds + ROUNDING_SECONDS]
        if len(late):
            self._count(late, np.ones(len(late)))

    def add_share(self, at: float, number: float, over: float) -> None:
        """Count requests that arrived around ``at``, and those of them that are over the objective; in no percentile."""
        place = int(at / self.bucket_seconds)
        place = min(place, self._last)
        self._number[place] += number
        self._over[place] += over

    def add_weighted(self, waits: Floats, services: Floats, weights: Floats) -> None:
        """Count requests for the percentiles alone: so many of each wait with its service."""
        self._waits.add(waits, weights)
        self._responses.add(waits + services, weights)

    def waits(self) -> Waits:
        """Return the percentiles, the number, and what was over the objective."""
        return Waits(self._waits.percentiles(), self._responses.percentiles(), float(self._numbers.sum()), float(self._overs.sum()))

    def longest_bad_stretch(self) -> float:
        """Return the seconds of the longest run of buckets that each missed the objective; one without requests ends a run."""
        allowed = (1 - self.objective.share) * self._numbers * (1 + _ROUNDING)
        is_bad = np.concatenate(([False], (self._numbers > _ROUNDING) & (self._overs > allowed), [False]))
        changes = np.flatnonzero(is_bad[1:] != is_bad[:-1])
        longest = int((changes[1::2] - changes[::2]).max(initial=0))
        return min(longest * self.bucket_seconds, self._length)

    def blocks(self) -> tuple[Floats, Floats]:
        """Return the number over the objective and the number of requests of each block of ``block_seconds``, from the first."""
        return self._by_block(self._overs), self._by_block(self._numbers)

    def _by_block(self, values: Floats) -> Floats:
        sums: Floats = np.add.reduceat(values, np.arange(0, len(values), self._buckets_a_block))
        return sums

    def _count(self, arrivals: Floats, over: Floats) -> None:
        places = np.minimum((arrivals / self.bucket_seconds).astype(np.int64), self._last)
        first = int(places.min())
        places -= first
        numbers = np.bincount(places)
        self._numbers[first : first + len(numbers)] += numbers
        self._overs[first : first + len(numbers)] += np.bincount(places, over)
