"""Hold how long a slot works on one request, as the queueing formulas ask for it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.distribution import Distribution
from autoscaler_simulations.load.trace import JobList

_POINTS = 2000
_POINTS_OVER = 20  # points beyond the objective's share, so that the tail is not one lucky value


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """The moments of a service, with points that stand for all of it."""

    mean_seconds: float
    scv: float
    points: Floats  # equally likely durations, ascending


def work_of(service: Distribution, share: float) -> Work:
    """Take the work from a distribution, with points fine enough for an objective's share."""
    return Work(service.mean, service.scv, service.points(_points_for(share)))


def work_of_jobs(jobs: JobList, share: float) -> Work:
    """Take the work from the jobs themselves; there must be one at least."""
    number = _points_for(share)
    points = np.quantile(jobs.services, (np.arange(number) + 0.5) / number, method="inverted_cdf")
    mean = float(jobs.services.mean())
    return Work(mean, float(jobs.services.var()) / mean**2, points)


def _points_for(share: float) -> int:
    return max(_POINTS, math.ceil(_POINTS_OVER / (1 - share)))
