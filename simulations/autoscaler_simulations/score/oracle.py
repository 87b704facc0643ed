"""Say what a clairvoyant would have paid for the same demand: the bound that costs are compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autoscaler_simulations.score.demand import Demand
from autoscaler_simulations.score.errors import ScoreError

_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Optimum:
    """The cheapest formation that always covers the demand."""

    process_seconds: float  # from the request to start a process to its exit
    starts: int
    stops: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a clairvoyant would have paid, in process-hours, without and with paying for starts and stops."""

    demand_process_hours: float
    optimal_process_hours: float
    note: str | None = None  # what the reader must know about the demand, in a sentence


@dataclass(frozen=True, slots=True)
class _Level:
    """When the n-th process is needed, in intervals."""

    needed: int  # all stretches together
    before: int  # until the first of them
    gaps: npt.NDArray[np.int64]  # between one and the next
    after: int  # since the last


def clairvoyant_minimum(demand: npt.NDArray[np.int64], interval_seconds: float) -> float:
    """Return the process-seconds of a supply that equals the demand in every interval; no system with a start-up time reaches it."""
    return float(demand.sum()) * interval_seconds


def clairvoyant_optimum(demand: npt.NDArray[np.int64], interval_seconds: float, startup_seconds: float, stop_seconds: float) -> Optimum:
    """Return the cheapest supply that is never below the demand, when starts and stops are paid for; demand has shape (intervals,).

    A process costs its ready time, ``startup_seconds`` for its start, which is requested that much earlier, and ``stop_seconds`` for its
    stop. What is ready in the first interval has not been started, what is ready in the last one is not stopped. All costs are linear in
    the processes, so the dynamic program over their number falls apart by levels: the n-th process is needed where demand >= n, and
    bridges a gap when keeping it costs no more than a stop with a start. Raises ``ScoreError``.
    """
    if not (interval_seconds > 0 and startup_seconds >= 0 and stop_seconds >= 0):
        given = f"interval {interval_seconds} s, start {startup_seconds} s, stop {stop_seconds} s"
        raise ScoreError(f"optimum: {given}; give an interval above 0 and the others at least 0")
    starts_of, lengths = _runs(demand)
    total, starts, stops = 0.0, 0, 0
    for level in range(1, int(demand.max(initial=0)) + 1):
        part = _optimum_of(_level(demand[starts_of] >= level, lengths), interval_seconds, startup_seconds, stop_seconds)
        total, starts, stops = total + part.process_seconds, starts + part.starts, stops + part.stops
    return Optimum(total, starts, stops)


def bounds_of(demand: Demand, startup_seconds: float, stop_seconds: float) -> Bounds:
    """Return both bounds for a demand that is already within the limits of its process type; raises ``ScoreError``."""
    optimum = clairvoyant_optimum(demand.processes, demand.interval_seconds, startup_seconds, stop_seconds)
    return Bounds(clairvoyant_minimum(demand.processes, demand.interval_seconds) / _HOUR, optimum.process_seconds / _HOUR, demand.note)


def _runs(demand: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where runs of equal demand begin, and their lengths."""
    begins = np.flatnonzero(np.concatenate(([True], demand[1:] != demand[:-1]))) if len(demand) else np.zeros(0, np.int64)
    return begins, np.diff(begins, append=len(demand))


def _level(is_needed: npt.NDArray[np.bool_], lengths: npt.NDArray[np.int64]) -> _Level:
    ends = np.concatenate(([0], np.cumsum(lengths)))
    padded = np.concatenate(([False], is_needed, [False]))
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    begins, finishes = ends[edges[::2]], ends[edges[1::2]]
    return _Level(int((finishes - begins).sum()), int(begins[0]), begins[1:] - finishes[:-1], int(ends[-1] - finishes[-1]))


def _optimum_of(level: _Level, interval_seconds: float, startup_seconds: float, stop_seconds: float) -> Optimum:
    gaps = level.gaps * interval_seconds
    is_parted = gaps > startup_seconds + stop_seconds
    begins_late = level.before * interval_seconds > startup_seconds
    ends_early = level.after * interval_seconds > stop_seconds
    kept = level.needed * interval_seconds + float(gaps[~is_parted].sum())
    kept += 0.0 if begins_late else level.before * interval_seconds
    kept += 0.0 if ends_early else level.after * interval_seconds
    starts, stops = int(is_parted.sum()) + begins_late, int(is_parted.sum()) + ends_early
    return Optimum(kept + starts * startup_seconds + stops * stop_seconds, starts, stops)
