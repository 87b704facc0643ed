"""Lay loads on other intervals without losing a request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, isfinite

import numpy as np

from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.load.errors import TraceError
from autoscaler_simulations.load.trace import JobList, RateCurve, Trace

_FEW = 50_000  # intervals that follow a shape closely enough
_MOST = 50_000_000  # intervals that are in memory together
_STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)  # seconds
_ROUNDING = 1e-9  # of an interval


def curve_of(load: Callable[[Floats], Floats], length_seconds: float) -> RateCurve:
    """Return the curve of a load that is given as the requests since the start, by seconds.

    A rate is the mean over its interval, so that no request is lost; a jump between two edges shows as one interval in between.
    Intervals last 1 s for up to 50,000 s, and beyond that the least of 2, 5, 10, ... 3,600 s that makes at most 50,000 of them (a
    day: 2 s, a year: 900 s); a little less where the length is no multiple. Raises ``TraceError`` for a length that is not above 0.
    """
    if not (isfinite(length_seconds) and length_seconds > 0):
        raise TraceError(f"a load cannot last {length_seconds:g} s; give a length above 0")
    step = next((step for step in _STEPS if length_seconds <= step * _FEW), length_seconds / _FEW)
    edges = np.linspace(0.0, length_seconds, _number_of(length_seconds, step) + 1)
    return _between(edges, load(edges))


def add(curves: Sequence[RateCurve]) -> RateCurve:
    """Return the sum of at least one curve, on the intervals of the finest, as long as the longest.

    A rate that changes within an interval of the sum shows as its mean there. The sum holds counts only where all curves do, on the
    same intervals. Raises ``TraceError`` for more than 50 million intervals.
    """
    length, interval = max(curve.length_seconds for curve in curves), min(curve.interval_seconds for curve in curves)
    if all(curve.interval_seconds == interval for curve in curves):
        rates = np.zeros(max(len(curve.rates) for curve in curves))
        for curve in curves:
            rates[: len(curve.rates)] += curve.rates
        return RateCurve(interval, rates, are_counts=all(curve.are_counts for curve in curves))
    edges = np.linspace(0.0, length, _number_of(length, interval) + 1)
    return _between(edges, np.sum([_load_at(edges, curve) for curve in curves], axis=0))


def coarsen(curve: RateCurve, interval_seconds: float) -> RateCurve:
    """Return the means of a curve over intervals of about ``interval_seconds``, a whole number of its own; one that is as coarse stays."""
    together = round(interval_seconds / curve.interval_seconds)
    if together <= 1:
        return curve
    starts = np.arange(0, len(curve.rates), together)
    sums: Floats = np.add.reduceat(curve.rates, starts)
    return RateCurve(curve.interval_seconds * together, sums / np.diff(np.append(starts, len(curve.rates))), curve.are_counts)


def to_curve(jobs: JobList, interval_seconds: float) -> RateCurve:
    """Count the jobs of each interval; the last one may end after the list.

    Raises ``TraceError`` for an interval that is not above 0, or so short that there are more than 50 million.
    """
    if not (isfinite(interval_seconds) and interval_seconds > 0):
        raise TraceError(f"jobs cannot be counted every {interval_seconds:g} s; give an interval above 0")
    number = _number_of(jobs.length_seconds, interval_seconds)
    places = np.minimum((jobs.arrivals / interval_seconds).astype(np.int64), number - 1)
    return RateCurve(interval_seconds, np.bincount(places, minlength=number) / interval_seconds, are_counts=True)


def cut(trace: Trace, length_seconds: float) -> Trace:
    """Return the beginning of a trace; an interval that has begun is kept whole. Raises ``TraceError`` for one that is shorter."""
    if not 0 < length_seconds <= trace.length_seconds * (1 + _ROUNDING):
        raise TraceError(f"the load lasts {trace.length_seconds:g} s, and {length_seconds:g} s of it are asked for; ask for no more")
    if isinstance(trace, RateCurve):
        number = _number_of(length_seconds, trace.interval_seconds)
        return RateCurve(trace.interval_seconds, trace.rates[:number], trace.are_counts)
    number = int(np.searchsorted(trace.arrivals, length_seconds))
    return JobList(trace.arrivals[:number], trace.services[:number], length_seconds)


def _number_of(length_seconds: float, interval_seconds: float) -> int:
    number = length_seconds / interval_seconds
    if number > _MOST:
        raise TraceError(f"{length_seconds:g} s in intervals of {interval_seconds:g} s are more than {_MOST:,}; make the intervals longer")
    return max(1, ceil(number - _ROUNDING * max(1.0, number)))


def _between(edges: Floats, load: Floats) -> RateCurve:
    interval = float(edges[-1]) / (len(edges) - 1)
    return RateCurve(interval, np.maximum(np.diff(load), 0.0) / interval)


def _load_at(edges: Floats, curve: RateCurve) -> Floats:
    own = np.arange(len(curve.rates) + 1) * curve.interval_seconds
    load: Floats = np.interp(edges, own, np.concatenate([[0.0], np.cumsum(curve.rates * curve.interval_seconds)]))
    return load
