"""Tell the outcomes of a flow: shares over the objective at once, percentiles at the end."""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import Literal, Protocol

import numpy as np

from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.distribution import Distribution
from autoscaler_simulations.plant.flow_line import Wait
from autoscaler_simulations.plant.flow_waits import Shift

_SERVICES = 12  # points that stand for a service where a response is computed every step
_ALL_SERVICES = 10_000  # that stand for a service elsewhere
_GROUPS = 350  # of these, whose means are combined with each wait at the end
_LONGEST = 200  # of these, that are combined with each wait one by one
_PARTS = (0.125, 0.375, 0.625, 0.875)  # of a span of waits
_BINS_AN_E = 50  # waits are told apart to 2 %
_BIN_WAITS = 1e-6, 1e9
_SHARE_GRAIN = 200
_RECENT = 100.0  # requests, whose fate says most of that of one in hand
_LEAST = 0.5  # of a request, that had a duration which counts


class Objective(Protocol):
    """What is promised of a request."""

    @property
    def measure(self) -> Literal["wait", "response"]:
        """Say whether the service counts as well."""

    @property
    def seconds(self) -> float:
        """Return how long it may take."""


class FlowOutcomes(Protocol):
    """Where a flow tells how its requests fared."""

    @property
    def objective(self) -> Objective:
        """Return what they are measured by."""

    def add_share(self, at: float, number: float, over: float) -> None:
        """Count requests that arrived around ``at``, and those of them over the objective."""

    def add_weighted(self, waits: Floats, services: Floats, weights: Floats) -> None:
        """Count requests for the percentiles alone."""

    def refuse(self, at: float, number: float = 1.0) -> None:
        """Count requests that were dropped or lost."""


class FlowReport:
    """Counts waits as they are known; holds a histogram of them until ``flush``."""

    def __init__(self, service: Distribution, outcomes: FlowOutcomes) -> None:
        """Judge by the objective of ``outcomes``."""
        self.outcomes = outcomes
        self._seconds = outcomes.objective.seconds
        self._of_response = outcomes.objective.measure == "response"
        self.points = service.points(_ALL_SERVICES)
        self._services: list[float] = self.points.tolist()
        self._late_anyway = self._late(0.0) if self._of_response else 0.0
        self._told = 0.0  # requests
        self._over_told = 0.0
        self._recent = 0.0  # requests, those told last above all
        self._over_recent = 0.0
        self._at_once = 0.0  # requests that did not wait
        self._spans: dict[int, float] = {}  # bin of the wait: requests
        self._shifts: dict[tuple[int, int], float] = {}  # rounded share that waits, bin of its mean wait: requests

    def allowances(self) -> tuple[tuple[float, float], ...]:
        """Return how long requests may wait, with the share of requests each holds for; below 0 they are late without a wait."""
        if not self._of_response:
            return ((self._seconds, 1.0),)
        left = [self._seconds - each for each in self._services if each <= self._seconds]
        late = 1 - len(left) / len(self._services)
        groups = [group for group in np.array_split(np.array(left), _SERVICES) if len(group)]
        return ((-1.0, late), *((float(group.mean()), len(group) / len(self._services)) for group in groups))

    def hear(self, wait: Wait) -> None:
        """Count requests that waited in the line."""
        if not wait.is_judged:
            self.tell(wait.at, wait.number, wait.number * self._over(wait.first, wait.last))
        part = wait.number / len(_PARTS)
        for place in _PARTS:
            key = _bin(wait.first + (wait.last - wait.first) * place)
            self._spans[key] = self._spans.get(key, 0.0) + part

    def hear_shift(self, at: float, number: float, shift: Shift, *, is_judged: bool) -> None:
        """Count requests that arrived while the waiting wandered near 0."""
        if not is_judged:
            self.tell(at, number, number * shift.over_share)
        key = round(shift.waiting_share * _SHARE_GRAIN), _bin(shift.mean_wait)
        self._shifts[key] = self._shifts.get(key, 0.0) + number

    def hear_none(self, at: float, number: float) -> None:
        """Count requests that did not wait."""
        self.tell(at, number, number * self._late_anyway)
        self._at_once += number

    def retract(self, arrived: float, number: float) -> None:
        """Take back requests that had started, from the counts; the percentiles keep them.

        How they fared is not known of single ones: they take the share over the objective of those told last with them, as far as
        all that were told hold so many.
        """
        over = number * (self._over_recent / self._recent if self._recent > 0 else 0.0)
        self._count(arrived, -number, -min(self._over_told, max(over, number - (self._told - self._over_told))))

    def leave_waiting(self, waits: list[Wait]) -> None:
        """Count those that still wait and are over the objective without being served; how the others end nobody knows."""
        for wait in waits:
            if not wait.is_judged:
                late = wait.number * self._over_seconds(wait.first, wait.last)
                self.tell(wait.at, late, late)

    def tell(self, at: float, number: float, over: float) -> None:
        """Count requests that arrived around a time, and those of them over the objective."""
        kept = math.exp(-number / _RECENT)
        self._recent = self._recent * kept + number
        self._over_recent = self._over_recent * kept + over
        self._count(at, number, over)

    def flush(self) -> None:
        """Hand the histogram to the outcomes, for their percentiles; nothing takes longer than the longest that half a request has."""
        waits, weights = self._histogram()
        if len(waits):
            services, shares = _thinned(self.points)
            waits = np.repeat(np.minimum(waits, _longest(waits, weights)), len(services))
            services = np.tile(services, len(weights))
            numbers = np.outer(weights, shares).ravel()
            self.outcomes.add_weighted(waits, np.minimum(services, _longest(waits + services, numbers) - waits), numbers)
        self._at_once = 0.0
        self._spans.clear()
        self._shifts.clear()

    def _count(self, at: float, number: float, over: float) -> None:
        self._told += number
        self._over_told += over
        self.outcomes.add_share(at, number, over)

    def _over(self, first: float, last: float) -> float:
        """Return the share over the objective of requests whose waits change evenly from the first to the last."""
        if self._of_response:
            return sum(self._late(first + (last - first) * place) for place in _PARTS) / len(_PARTS)
        return self._over_seconds(first, last)

    def _over_seconds(self, first: float, last: float) -> float:
        low, high = (first, last) if first < last else (last, first)
        if low > self._seconds:
            return 1.0
        return (high - self._seconds) / (high - low) if high > self._seconds else 0.0

    def _late(self, wait: float) -> float:
        return 1 - bisect_left(self._services, self._seconds - wait) / len(self._services)

    def _histogram(self) -> tuple[Floats, Floats]:
        """Return waits with how many requests had them."""
        bins = np.arange(*(_bin(each) for each in _BIN_WAITS))
        weights = np.zeros(len(bins) + 1)  # the first for those that did not wait
        weights[0] = self._at_once
        for key, number in self._spans.items():
            weights[_place(key)] += number
        edges = np.exp((bins - 0.5) / _BINS_AN_E)
        for (share, mean), number in self._shifts.items():
            waiting = number * share / _SHARE_GRAIN
            weights[0] += number - waiting
            weights[1:] += waiting * -np.diff(np.exp(-edges / _wait_of(mean)), append=0.0)
            weights[0] += waiting * -math.expm1(-edges[0] / _wait_of(mean))
        used = weights > 0
        return np.concatenate([[0.0], np.exp(bins / _BINS_AN_E)])[used], weights[used]


def _thinned(points: Floats) -> tuple[Floats, Floats]:
    """Return fewer durations in the place of equally likely ones, with the share each stands for: a group has its mean, but for the longest."""
    means, longest = points[:-_LONGEST].reshape(_GROUPS, -1).mean(axis=1), points[-_LONGEST:]
    shares = np.repeat([(1 - _LONGEST / len(points)) / _GROUPS, 1 / len(points)], [_GROUPS, _LONGEST])
    return np.concatenate([means, longest]), shares


def _longest(durations: Floats, weights: Floats) -> float:
    """Return the longest duration that half a request has, or more than it: a distribution goes on where nobody is left."""
    order = np.argsort(-durations)
    reached = np.cumsum(weights[order])
    return float(durations[order][np.searchsorted(reached, min(_LEAST, reached[-1]))])


def _bin(wait: float) -> int:
    low, high = _BIN_WAITS
    return round(math.log(min(max(wait, low), high)) * _BINS_AN_E)


def _wait_of(place: int) -> float:
    return math.exp(place / _BINS_AN_E)


def _place(key: int) -> int:
    """Return where a bin is among the weights; the lowest one holds those that did not wait."""
    return key - _bin(_BIN_WAITS[0])
