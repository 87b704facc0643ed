"""Scale a load to a size of formation."""

from __future__ import annotations

from math import ceil, isfinite

import numpy as np

from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.load.curves import to_curve
from autoscaler_simulations.load.errors import TraceError
from autoscaler_simulations.load.trace import JobList, RateCurve, Trace

_WINDOW_SECONDS = 60.0  # so that one noisy second does not decide


def rescale(trace: Trace, peak_processes: float, slots: int, mean_service_seconds: float) -> Trace:
    """Scale a load so that its busiest window keeps ``peak_processes`` processes of ``slots`` slots busy.

    Rates are multiplied, and are no counts from then on; its window is that of ``peak_of``. Jobs keep their arrivals, and their
    services are multiplied, whatever ``mean_service_seconds`` says; their window lasts 60 s, or their recorded mean service where
    that is longer, and holds the work of all that arrive in it. Raises ``TraceError`` for an empty load, or a size that is not above 0.
    """
    for name, value in (("peak_processes", peak_processes), ("slots", slots), ("mean_service_seconds", mean_service_seconds)):
        if not (isfinite(value) and value > 0):
            raise TraceError(f"a load cannot be scaled to {name} {value:g}; give one above 0")
    busy = busy_processes(trace, slots, mean_service_seconds)
    if busy <= 0:
        raise TraceError("a load without a request cannot be scaled; use another one, or leave the scale out")
    factor = peak_processes / busy
    if isinstance(trace, JobList):
        return JobList(trace.arrivals, trace.services * factor, trace.length_seconds)
    return RateCurve(trace.interval_seconds, trace.rates * factor)


def busy_processes(trace: Trace, slots: int, mean_service_seconds: float) -> float:
    """Return how many processes of ``slots`` slots the busiest window of a load keeps busy, as ``rescale`` sees it."""
    return (_peak_work(trace) if isinstance(trace, JobList) else peak_of(trace) * mean_service_seconds) / slots


def peak_of(trace: Trace) -> float:
    """Return the requests a second in the busiest window of at least 60 s and whole intervals; a shorter load is one window."""
    if isinstance(trace, JobList):
        return peak_of(to_curve(trace, min(_WINDOW_SECONDS, max(trace.length_seconds, 1.0))))
    if not len(trace.rates):
        return 0.0
    number = min(len(trace.rates), ceil(_WINDOW_SECONDS / trace.interval_seconds - 1e-9))
    return float(_sums(trace.rates, number).max()) / number


def _sums(values: Floats, number: int) -> Floats:
    """Return the sums of every ``number`` values in a row."""
    added = np.concatenate([[0.0], np.cumsum(values)])
    sums: Floats = added[number:] - added[:-number]
    return sums


def _peak_work(jobs: JobList) -> float:
    """Return the seconds of work that arrive a second in the busiest window."""
    if not len(jobs.arrivals):
        return 0.0
    window = max(_WINDOW_SECONDS, float(jobs.services.mean()))
    work = np.concatenate([[0.0], np.cumsum(jobs.services)])
    stops = np.searchsorted(jobs.arrivals, jobs.arrivals + window)
    return float((work[stops] - work[:-1]).max()) / window
