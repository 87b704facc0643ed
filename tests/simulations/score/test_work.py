"""Work: the moments and points of a service, from a distribution or from jobs."""

import numpy as np
import pytest

from autoscaler_simulations.durations import Exponential
from autoscaler_simulations.load.trace import JobList
from autoscaler_simulations.score.work import work_of, work_of_jobs


def test_jobs_have_their_own_mean_and_variability():
    work = work_of_jobs(JobList(np.array([0.0, 1.0, 2.0]), np.array([9.0, 3.0, 3.0]), 10.0), 0.99)

    assert (work.mean_seconds, work.scv) == pytest.approx((5.0, 8 / 25))
    assert [np.mean(work.points == value) for value in (3.0, 9.0)] == pytest.approx([2 / 3, 1 / 3], abs=1e-3)


@pytest.mark.parametrize(("share", "beyond"), [(0.5, 1000), (0.99, 20), (0.9999, 20)])
def test_some_points_lie_beyond_the_share_of_the_objective(share, beyond):
    points = work_of(Exponential(1.0), share).points

    assert np.count_nonzero(points > -np.log(1 - share)) == pytest.approx(beyond, abs=1)
