"""A histogram of durations in fixed memory, whose quantiles are right to a thousandth of their value."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.score.errors import ScoreError
from autoscaler_simulations.score.waits import Percentiles

_ACCURACY = 0.001
_SMALLEST = 1e-6  # seconds; what is no longer counts as 0
_LARGEST = 1e9  # seconds; what is longer counts as this, but for the mean and the maximum
_GROWTH = (1 + _ACCURACY) / (1 - _ACCURACY)
_BINS = 1 + math.ceil(math.log(_LARGEST / _SMALLEST) / math.log(_GROWTH))
_ROUNDING = 1e-12  # of a rank: 0.07 x 100 is a little more than 7


class Sketch:
    """Durations in bins that grow by a constant factor (the idea of DDSketch: Masson, Rim, Lee 2019), 140 kB whatever their number.

    Bin i holds what is longer than ``1 us x growth^(i - 1)`` and at most ``1 us x growth^i``; bin 0 what is at most a microsecond, as 0.
    """

    def __init__(self) -> None:
        """Begin with no duration."""
        self._weights: Floats = np.zeros(_BINS)
        self._sum = 0.0
        self._count = 0.0
        self._longest = 0.0

    @property
    def count(self) -> float:
        """Return the number of durations, or their weights added up."""
        return self._count

    @property
    def mean(self) -> float | None:
        """Return the mean in seconds, exact; ``None`` when empty."""
        return self._sum / self._count if self._count > 0 else None

    @property
    def maximum(self) -> float | None:
        """Return the longest in seconds: exact, or right to a thousandth once the longest has been removed; ``None`` when empty."""
        used = np.flatnonzero(self._weights > 0)
        if not used.size:
            return None
        last = int(used[-1])
        return self._longest if last == _bin_of(self._longest) else _value_of(last)

    def add(self, values: Floats, weights: Floats | None = None) -> None:
        """Count durations in seconds, each once or by its weight; raises ``ScoreError`` for what is no duration."""
        if not len(values):
            return
        _check(values, weights)
        heavy = values if weights is None else values[weights > 0]
        self._longest = max(self._longest, float(heavy.max(initial=0.0)))
        self._change(values, weights, 1.0)

    def remove(self, values: Floats, weights: Floats | None = None) -> None:
        """Take back durations that have been added, with the same weights."""
        if len(values):
            _check(values, weights)
            self._change(values, weights, -1.0)

    def quantile(self, share: float) -> float | None:
        """Return the smallest duration that ``share`` (0 to 1) of all do not exceed, right to a thousandth; ``None`` when empty.

        By nearest rank, so it is a duration that somebody had: the inverse of the distribution (Hyndman, Fan 1996, type 1).
        """
        longest = self.maximum
        if longest is None:
            return None
        reached = np.cumsum(np.maximum(self._weights, 0.0))
        rank = max(share * reached[-1] * (1 - _ROUNDING), reached[-1] * _ROUNDING)
        return min(_value_of(int(np.searchsorted(reached, rank))), longest)

    def percentiles(self) -> Percentiles:
        """Return the usual ones at once."""
        p50, p95, p99, p99_9 = (self.quantile(share) for share in (0.5, 0.95, 0.99, 0.999))
        return Percentiles(self.mean, p50, p95, p99, p99_9, self.maximum)

    def _change(self, values: Floats, weights: Floats | None, sign: float) -> None:
        number = float(len(values) if weights is None else weights.sum())
        self._count += sign * number
        self._sum += sign * float(values.sum() if weights is None else values @ weights)
        held = np.bincount(_bins_of(values), weights)
        self._weights[: len(held)] += sign * held


def _check(values: Floats, weights: Floats | None) -> None:
    shortest, longest = float(values.min()), float(values.max())
    if not (shortest >= -_SMALLEST and longest < math.inf):
        raise ScoreError(f"durations from {shortest:g} s to {longest:g} s cannot be counted; every one must be finite and not negative")
    if weights is not None and not (weights.min() >= 0 and weights.max() < math.inf):
        raise ScoreError(f"weights from {weights.min():g} to {weights.max():g} cannot be counted; every one must be finite and not negative")


def _bins_of(values: Floats) -> npt.NDArray[np.int64]:
    steps = np.clip(values, _SMALLEST, _LARGEST)
    steps *= 1 / _SMALLEST
    np.log(steps, out=steps)
    steps *= 1 / math.log(_GROWTH)
    return np.ceil(steps, out=steps).astype(np.int64)


def _bin_of(value: float) -> int:
    return int(_bins_of(np.array([value]))[0])


def _value_of(place: int) -> float:
    """Return what stands for a bin: it is off by the same factor at both ends."""
    return _SMALLEST * 2 * math.exp(place * math.log(_GROWTH)) / (_GROWTH + 1) if place else 0.0
