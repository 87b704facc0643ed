"""Say how many processes a load really needed over time, as somebody knows who sees all of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.distribution import Distribution
from autoscaler_simulations.load.trace import JobList, RateCurve
from autoscaler_simulations.score.errors import ScoreError
from autoscaler_simulations.score.objective import Objective
from autoscaler_simulations.score.offered import spread_of_jobs, spread_over_services, trailing_mean
from autoscaler_simulations.score.staffing import Staffing
from autoscaler_simulations.score.work import Work, work_of, work_of_jobs


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """The fewest processes that meet the objective in each interval; the limits of the process type are not applied."""

    interval_seconds: float
    processes: npt.NDArray[np.int64]  # shape (intervals,)
    note: str | None  # what the reader must know about the objective, in a sentence


def demand_of_curve(curve: RateCurve, service: Distribution, objective: Objective, slots: int) -> Demand:
    """Return the demand of a load given by rates: by M/G/c at the rate of each interval, with ``slots`` in each process.

    Services that last longer than an interval keep slots busy in those that follow: the offered load is that of infinitely many slots
    (the modified-offered-load approximation of Jennings, Mandelbaum, Massey, Whitt 1996). An objective that leaves more time than an
    interval lets work be put off: the load is averaged over that time. Raises ``ScoreError``.
    """
    work = work_of(service, objective.share)
    busy = spread_over_services(curve, work) if work.mean_seconds > curve.interval_seconds else curve.rates * work.mean_seconds
    return _demand(busy, curve.interval_seconds, work, Staffing(objective, work, slots), objective)


def demand_of_jobs(jobs: JobList, objective: Objective, slots: int, interval_seconds: float) -> Demand:
    """Return the demand of a load given by jobs: each keeps a slot busy from its arrival on, for its own service.

    Otherwise as ``demand_of_curve``; the last interval may reach past the end of the load. Raises ``ScoreError``.
    """
    if not interval_seconds > 0:
        raise ScoreError(f"demand: an interval of {interval_seconds} s has no length; give one above 0")
    if not len(jobs.arrivals):
        return Demand(interval_seconds, np.zeros(int(np.ceil(jobs.length_seconds / interval_seconds)), np.int64), None)
    work = work_of_jobs(jobs, objective.share)
    return _demand(spread_of_jobs(jobs, interval_seconds), interval_seconds, work, Staffing(objective, work, slots), objective)


def _demand(busy: Floats, interval_seconds: float, work: Work, staffing: Staffing, objective: Objective) -> Demand:
    intervals = int(_patience(objective, work) / interval_seconds)
    return Demand(interval_seconds, staffing.fewest(trailing_mean(busy, intervals)), staffing.note)


def _patience(objective: Objective, work: Work) -> float:
    """Return how long nearly every request may be put off: the objective, less the service when it is one of responses."""
    if objective.measure == "wait":
        return objective.seconds
    return max(0.0, objective.seconds - float(work.points[min(len(work.points) - 1, int(objective.share * len(work.points)))]))
