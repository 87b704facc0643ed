"""Say how far a measured mean or share can be trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.score.errors import ScoreError

_DRAWS = 2000
_FEWEST = 2  # of one value nobody knows the spread
_HALVINGS = 64  # of a right angle: as near as floats come


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, or a ratio, with the bounds between which the true one lies at the level asked for."""

    low: float
    mean: float
    high: float


def interval_of_mean(values: Floats, level: float = 0.95) -> Interval | None:
    """Return the mean of independent runs with its confidence interval (Student 1908); ``None`` for fewer than two values."""
    _check_level(level)
    if len(values) < _FEWEST:
        return None
    mean = float(np.mean(values))
    reach = student_quantile((1 + level) / 2, len(values) - 1) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Interval(mean - reach, mean, mean + reach)


def bootstrap_blocks(numerators: Floats, denominators: Floats, chance: np.random.Generator, level: float = 0.95) -> Interval | None:
    """Return the ratio of two sums over blocks of time with its confidence interval: the percentile bootstrap (Efron 1979).

    Blocks as long as what binds the values inside them, such as days, keep the interval honest. Those whose denominator is 0 are left
    out; ``None`` when fewer than two remain.
    """
    _check_level(level)
    is_used = denominators > 0
    over, of = numerators[is_used], denominators[is_used]
    if len(of) < _FEWEST:
        return None
    draws = chance.multinomial(len(of), np.full(len(of), 1 / len(of)), size=_DRAWS)
    low, high = np.quantile((draws @ over) / (draws @ of), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(over.sum() / of.sum()), float(high))


def student_quantile(share: float, freedom: int) -> float:
    """Return what a Student t of ``freedom`` degrees does not exceed with probability ``share``, by halving; above one half.

    The distribution is a finite sum for whole degrees (Abramowitz, Stegun 1964, 26.7.3 and 26.7.4).
    """
    low, high = 0.0, math.pi / 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _central_share(middle, freedom) < 2 * share - 1 else (low, middle)
    return math.sqrt(freedom) * math.tan((low + high) / 2)


def _central_share(angle: float, freedom: int) -> float:
    """Return P(|t| < sqrt(freedom) tan(angle))."""
    is_odd = freedom % 2
    cosine, sine = math.cos(angle), math.sin(angle)
    term = cosine if is_odd else 1.0
    total = term if freedom > 1 else 0.0
    for step in range(3 if is_odd else 2, freedom - 1, 2):
        term *= cosine * cosine * (step - 1) / step
        total += term
    return 2 / math.pi * (angle + sine * total) if is_odd else sine * total


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ScoreError(f"confidence level: {level} is not between 0 and 1, both excluded; write 0.95 for 95 %")
