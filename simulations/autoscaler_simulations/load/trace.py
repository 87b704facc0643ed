"""Hold a load over time: a rate for each interval, or every job with its own work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from autoscaler_simulations.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class RateCurve:
    """Arrivals a second, one value for each interval; the first interval begins at second 0."""

    interval_seconds: float
    rates: Floats  # shape (intervals,), finite, not negative
    are_counts: bool = False  # rate x interval are arrivals that really were: whole numbers, to be repeated exactly

    @property
    def length_seconds(self) -> float:
        """Return where the last interval ends."""
        return self.interval_seconds * len(self.rates)


@dataclass(frozen=True, slots=True, eq=False)
class JobList:
    """Every job of a load: when it arrives and how long one slot works on it."""

    arrivals: Floats  # seconds, ascending, not negative
    services: Floats  # seconds, above 0, one for each arrival
    length_seconds: float  # at least the last arrival


Trace: TypeAlias = RateCurve | JobList
