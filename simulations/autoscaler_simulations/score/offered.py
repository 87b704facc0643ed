"""Turn arrivals into offered load: how many slots would be busy in each interval if there were always enough of them."""

from __future__ import annotations

import numpy as np

from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.load.trace import JobList, RateCurve
from autoscaler_simulations.score.work import Work

_NOTHING = 1e-9  # of the highest load: what rounding leaves where nothing is


def trailing_mean(values: Floats, intervals: int) -> Floats:
    """Return the mean over each interval with those before it, ``intervals`` in all; before the first there was nothing."""
    if intervals <= 1:
        return values
    sums = np.cumsum(values)
    before = np.concatenate((np.zeros(min(intervals, len(values))), sums))[: len(values)]
    return _without_noise((sums - before) / intervals)


def spread_of_jobs(jobs: JobList, interval_seconds: float) -> Floats:
    """Return the mean number of slots that jobs keep busy, each from its arrival to the end of its service, in every interval."""
    length = int(np.ceil(jobs.length_seconds / interval_seconds))
    came, coming = _events(jobs.arrivals, interval_seconds, length)
    gone, going = _events(jobs.arrivals + jobs.services, interval_seconds, length)
    present = np.cumsum(came - gone) - (came - gone)  # at the beginning of each interval
    return _without_noise(present + (coming - going) / interval_seconds)


def spread_over_services(curve: RateCurve, work: Work) -> Floats:
    """Return the mean number of busy slots of each interval, when arrivals fall evenly in theirs (M_t/G/infinity: Eick, Massey, Whitt 1993)."""
    length, kernel = len(curve.rates), _kernel(curve, work)
    size = 1 << (2 * length - 1).bit_length()
    spread = np.fft.irfft(np.fft.rfft(curve.rates, size) * np.fft.rfft(kernel, size), size)[:length]
    return _without_noise(spread)


def _kernel(curve: RateCurve, work: Work) -> Floats:
    """Return how many slot-seconds a second of arrivals at rate 1 keeps busy in its interval, the next, and so on."""
    interval, points = curve.interval_seconds, work.points * (work.mean_seconds / work.points.mean())
    reach = min(len(curve.rates), int(points[-1] / interval) + 2)
    edges = interval * np.arange(-1, reach + 1)
    # Twice the area under min(s, v) for v from 0 to each edge: v^2 up to the service s, then s^2 + 2 s (v - s) = 2 s v - s^2.
    number, sums, squares = np.searchsorted(points, edges), _sums(points), _sums(points**2)
    ahead = len(points) - number
    areas = np.where(edges > 0, ahead * edges**2 + 2 * edges * sums[number] - squares[number], 0.0) / (2 * len(points))
    kernel: Floats = np.diff(np.diff(areas)) / interval
    return kernel


def _sums(values: Floats) -> Floats:
    return np.concatenate(([0.0], np.cumsum(values)))


def _events(times: Floats, interval_seconds: float, length: int) -> tuple[Floats, Floats]:
    """Return for each interval how many of these times lie in it, and the seconds from them to its end, summed; later ones do not count."""
    places = (times / interval_seconds).astype(np.int64)
    left = (places + 1) * interval_seconds - times
    is_within = places < length
    number = np.bincount(places[is_within], minlength=length).astype(np.float64)
    return number, np.bincount(places[is_within], left[is_within], minlength=length).astype(np.float64)


def _without_noise(loads: Floats) -> Floats:
    return np.where(loads > loads.max(initial=0.0) * _NOTHING, loads, 0.0)
