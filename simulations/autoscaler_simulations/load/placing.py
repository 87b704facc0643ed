"""Place the requests of a rate curve in time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.load.errors import TraceError
from autoscaler_simulations.load.trace import RateCurve

Spread: TypeAlias = Literal["poisson", "even"]
Numbers: TypeAlias = npt.NDArray[np.int64]
Placed: TypeAlias = tuple[int, int, Floats]  # the first interval, the one after the last, and the seconds of the arrivals in them

BLOCK_ARRIVALS = 65_536
_BLOCK_INTERVALS = 10_000
_MOST_AT_ONCE = 50_000_000  # arrivals of one interval, which are in memory together


def draw_numbers(curve: RateCurve, fano: float, chance: np.random.Generator) -> Numbers:
    """Return how many requests arrive in each interval: as recorded, or drawn with a variance of ``fano`` times the mean.

    The negative binomial is a Poisson number with a gamma mean (Greenwood and Yule, 1920).
    """
    means = _means(curve)
    if curve.are_counts:
        return means.astype(np.int64)
    if fano > 1.0:
        means = chance.gamma(means / (fano - 1.0), fano - 1.0)
    return chance.poisson(means)


def place_by_chance(interval_seconds: float, numbers: Numbers, chance: np.random.Generator) -> Iterator[Placed]:
    """Throw the requests of each interval uniformly into it."""
    for first, stop in _stretches(numbers):
        arrivals = np.repeat(np.arange(first, stop, dtype=np.float64), numbers[first:stop])
        arrivals += chance.random(len(arrivals))
        arrivals *= interval_seconds
        arrivals.sort()
        yield first, stop, arrivals


def place_evenly(curve: RateCurve) -> Iterator[Placed]:
    """Let a request arrive whenever the load added up crosses another half."""
    load = np.concatenate([[0.0], np.cumsum(_means(curve))])
    arrived = np.floor(load + 0.5).astype(np.int64)
    for first, stop in _stretches(np.diff(arrived)):
        halves = np.arange(arrived[first], arrived[stop]) + 0.5
        edges = np.arange(first, stop + 1) * curve.interval_seconds
        yield first, stop, np.interp(halves, load[first : stop + 1], edges)


def _means(curve: RateCurve) -> Floats:
    means = curve.rates * curve.interval_seconds
    if means.max(initial=0.0) > _MOST_AT_ONCE:
        place = int(means.argmax())
        many = f"{means[place]:.3g} requests in the interval at {place * curve.interval_seconds:g} s"
        raise TraceError(f"{many} are more than the {_MOST_AT_ONCE:,} that can be simulated one by one; scale the load down")
    return np.rint(means) if curve.are_counts else means


def _stretches(numbers: Numbers) -> Iterator[tuple[int, int]]:
    """Cut the intervals where a block is full; an interval is never cut."""
    arrived = np.cumsum(numbers)
    first, before = 0, 0
    while first < len(numbers):
        full = int(np.searchsorted(arrived[first : first + _BLOCK_INTERVALS], before + BLOCK_ARRIVALS, side="right"))
        stop = first + max(1, full)
        yield first, stop
        first, before = stop, int(arrived[stop - 1])
