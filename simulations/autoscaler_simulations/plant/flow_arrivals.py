"""Draw how many requests of a rate curve arrive within a span of time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from autoscaler_simulations.load.trace import RateCurve

_NOTHING = 1e-9  # intervals that are no more than rounding


@dataclass(slots=True)
class Inflow:
    """Requests that arrive evenly from ``begins`` on, and the rate per second that they are a sample of."""

    begins: float
    seconds: float
    number: float
    rate: float


class FlowArrivals:
    """Numbers drawn interval by interval, as recorded where the curve holds counts, then shared out by chance within the interval."""

    def __init__(self, curve: RateCurve, chance: np.random.Generator) -> None:
        """Begin at second 0; after the end of the curve nothing arrives."""
        self._curve, self._chance = curve, chance
        self._rates: list[float] = curve.rates.tolist()
        self._interval = -1
        self._ends = 0.0  # of the interval
        self._left = 0.0  # requests of it that are to come
        self._rate = 0.0

    def ends(self, now: float) -> float:
        """Return up to when the rate stays as it is at a time."""
        while now >= self._ends - _NOTHING * self._curve.interval_seconds:
            self._enter(self._interval + 1)
        return self._ends

    def take(self, begins: float, ends: float) -> Inflow:
        """Return what arrives within a span that ``ends`` does not cut; spans follow each other."""
        whole = self._ends - begins
        share = (ends - begins) / whole if whole < math.inf else 0.0
        number = self._left if share >= 1 - _NOTHING else float(self._chance.binomial(int(self._left), share))
        self._left -= number
        return Inflow(begins, ends - begins, number, self._rate)

    def _enter(self, interval: int) -> None:
        self._interval = interval
        if interval >= len(self._rates):
            self._ends, self._left, self._rate = math.inf, 0.0, 0.0
            return
        self._rate = self._rates[interval]
        self._ends = (interval + 1) * self._curve.interval_seconds
        mean = self._rate * self._curve.interval_seconds
        self._left = float(round(mean)) if self._curve.are_counts else float(self._chance.poisson(mean))
