"""Loads that are made up: named shapes of a rate over time."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Annotated, ClassVar

import numpy as np

from autoscaler.model import Duration, DurationOrZero, Help, Number
from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.load.curves import curve_of
from autoscaler_simulations.load.placing import Spread
from autoscaler_simulations.load.shape import Lines
from autoscaler_simulations.load.trace import RateCurve

_Rate = Annotated[float, Number(at_least=0, at_most=1e9)]
_DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """Requests at equal distances."""

    spread: ClassVar[Spread] = "even"
    rate: Annotated[_Rate, Help("requests a second")]

    def curve(self, length_seconds: float) -> RateCurve:
        """Return the rate over time; raise ``TraceError`` for a length that is not above 0."""
        return curve_of(Lines((0.0,), (self.rate,)).load, length_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Poisson:
    """Requests by chance, at a rate that stays the same."""

    spread: ClassVar[Spread] = "poisson"
    rate: Annotated[_Rate, Help("requests a second, on average")]

    def curve(self, length_seconds: float) -> RateCurve:
        """Return the rate over time; raise ``TraceError`` for a length that is not above 0."""
        return curve_of(Lines((0.0,), (self.rate,)).load, length_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rate, and from a moment on another."""

    spread: ClassVar[Spread] = "poisson"
    rate: Annotated[_Rate, Help("requests a second at first")]
    to: Annotated[_Rate, Help("requests a second from then on")]
    at_seconds: Annotated[DurationOrZero, Help("when the rate changes")]

    def curve(self, length_seconds: float) -> RateCurve:
        """Return the rate over time; raise ``TraceError`` for a length that is not above 0."""
        return curve_of(Lines((0.0, self.at_seconds, self.at_seconds), (self.rate, self.rate, self.to)).load, length_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """A rate that changes evenly into another."""

    spread: ClassVar[Spread] = "poisson"
    rate: Annotated[_Rate, Help("requests a second at first")]
    to: Annotated[_Rate, Help("requests a second at the end")]
    at_seconds: Annotated[DurationOrZero, Help("when the change begins")]
    for_seconds: Annotated[Duration, Help("how long it takes")]

    def curve(self, length_seconds: float) -> RateCurve:
        """Return the rate over time; raise ``TraceError`` for a length that is not above 0."""
        times = (0.0, self.at_seconds, self.at_seconds + self.for_seconds)
        return curve_of(Lines(times, (self.rate, self.rate, self.to)).load, length_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diurnal:
    """A sine between a trough and a peak, once a day."""

    spread: ClassVar[Spread] = "poisson"
    trough: Annotated[_Rate, Help("requests a second at the lowest")]
    peak: Annotated[_Rate, Help("requests a second at the highest")]
    period_seconds: Annotated[Duration, Help("from one peak to the next")] = _DAY
    peak_at_seconds: Annotated[DurationOrZero | None, Help("when the first peak is; half a period when left out")] = None

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a peak below the trough."""
        _require_above(self.peak, "trough", self.trough)

    def curve(self, length_seconds: float) -> RateCurve:
        """Return the rate over time; raise ``TraceError`` for a length that is not above 0."""
        return curve_of(self._load, length_seconds)

    def _load(self, at: Floats) -> Floats:
        """Return the area under middle + half x cos(turns x (t - peak)) up to each time, but for what came before second 0."""
        turns = 2 * pi / self.period_seconds
        peak_at = self.period_seconds / 2 if self.peak_at_seconds is None else self.peak_at_seconds
        middle, half = (self.peak + self.trough) / 2, (self.peak - self.trough) / 2
        return np.asarray(middle * at + half / turns * np.sin(turns * (at - peak_at)), float)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlashCrowd:
    """A rate that rises evenly to a peak, stays there, and falls back."""

    spread: ClassVar[Spread] = "poisson"
    rate: Annotated[_Rate, Help("requests a second before and after")]
    peak: Annotated[_Rate, Help("requests a second at the highest")]
    at_seconds: Annotated[DurationOrZero, Help("when the rise begins")]
    rise_seconds: Annotated[DurationOrZero, Help("how long the rise takes")]
    hold_seconds: Annotated[DurationOrZero, Help("how long the peak lasts")]
    fall_seconds: Annotated[DurationOrZero, Help("how long the fall takes")]

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a peak below the rate."""
        _require_above(self.peak, "rate", self.rate)

    def curve(self, length_seconds: float) -> RateCurve:
        """Return the rate over time; raise ``TraceError`` for a length that is not above 0."""
        spans = (0.0, self.at_seconds, self.rise_seconds, self.hold_seconds, self.fall_seconds)
        rates = (self.rate, self.rate, self.peak, self.peak, self.rate)
        return curve_of(Lines(tuple(np.cumsum(spans)), rates).load, length_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Exactly so many jobs together, again and again."""

    spread: ClassVar[Spread] = "poisson"
    size: Annotated[int, Number(at_least=1, at_most=1_000_000_000), Help("jobs of a batch")]
    every_seconds: Annotated[Duration, Help("from one batch to the next")]
    first_at_seconds: Annotated[DurationOrZero, Help("when the first batch arrives")] = 0.0
    within_seconds: Annotated[DurationOrZero, Help("the span a batch is spread over; 0s: one interval of the curve")] = 0.0

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for batches that overlap."""
        if self.within_seconds > self.every_seconds:
            raise ValueError(f"within {self.within_seconds:g}s is longer than every {self.every_seconds:g}s; make it no longer")

    def curve(self, length_seconds: float) -> RateCurve:
        """Return the jobs of each interval as counts, the last batch cut at the end; raise ``TraceError`` for a length that is not above 0."""
        drawn = curve_of(self._load, length_seconds)
        return RateCurve(drawn.interval_seconds, np.rint(drawn.rates * drawn.interval_seconds) / drawn.interval_seconds, are_counts=True)

    def _load(self, at: Floats) -> Floats:
        """Return the whole jobs before each time; a batch without a span arrives right at its moment."""
        since = at - self.first_at_seconds
        begun = np.floor(since / self.every_seconds)
        own = since - begun * self.every_seconds
        share = np.clip(own, 0.0, self.within_seconds) / self.within_seconds if self.within_seconds else (own > 0).astype(float)
        return np.asarray(np.where(since < 0, 0.0, self.size * begun + np.floor(self.size * share + 0.5)), float)


def _require_above(peak: float, name: str, low: float) -> None:
    if peak < low:
        raise ValueError(f"peak {peak:g} is below {name} {low:g}; swap or raise it")
