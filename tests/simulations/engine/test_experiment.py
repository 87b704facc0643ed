"""The facts of an experiment that follow from others."""

from dataclasses import replace

import numpy as np
import pytest

from autoscaler_simulations.durations import Deterministic
from autoscaler_simulations.load.trace import JobList, RateCurve

CURVE = RateCurve(60.0, np.array([1.0, 3.0]))
JOBS = JobList(np.array([0.0, 5.0]), np.array([4.0, 6.0]), 6.0)
TWO_SECONDS = Deterministic(mean_seconds=2)


@pytest.mark.parametrize(("trace", "service", "seconds"), [(CURVE, TWO_SECONDS, 480.0), (JOBS, None, 10.0), (JOBS, TWO_SECONDS, 4.0)])
def test_work_is_that_of_the_jobs_themselves_unless_a_service_takes_its_place(make_workload, trace, service, seconds):
    assert replace(make_workload(), trace=trace, service=service).work_seconds == seconds
