"""The demand of a load: what each interval needs, and what may be put off."""

import numpy as np
import pytest

from autoscaler_simulations.durations import Deterministic, Exponential
from autoscaler_simulations.load.trace import JobList, RateCurve
from autoscaler_simulations.score.demand import demand_of_curve, demand_of_jobs
from autoscaler_simulations.score.errors import ScoreError
from autoscaler_simulations.score.objective import Objective


def curve_of(*rates, interval=60.0):
    return RateCurve(interval, np.array(rates, dtype=float))


def jobs_of(arrivals, services, length=600.0):
    return JobList(np.array(arrivals, dtype=float), np.array(services, dtype=float), length)


def test_each_interval_needs_what_its_rate_needs():
    demand = demand_of_curve(curve_of(50, 0, 50, 5), Exponential(0.5), Objective("wait", 0.1), 1)

    assert demand.processes.tolist()[:3] == [34, 0, 34]
    assert 2.5 < demand.processes[3] < 34
    assert (demand.interval_seconds, demand.note) == (60.0, None)


def test_work_that_may_wait_for_ten_minutes_is_spread_over_them():
    rates = [0, 100, *[0] * 12]
    demand = demand_of_curve(curve_of(*rates), Deterministic(0.5), Objective("wait", 600.0), 1)

    assert demand.processes.tolist() == [0, *[6] * 10, 0, 0, 0]


def test_a_response_leaves_less_time_by_its_service():
    rates = [0, 100, *[0] * 12]
    demand = demand_of_curve(curve_of(*rates), Deterministic(30.0), Objective("response", 630.0), 10)

    assert np.count_nonzero(demand.processes) == 10


def test_a_service_longer_than_an_interval_is_still_demanded_after_its_arrival():
    demand = demand_of_curve(curve_of(1, 0, 0, 0, 0, 0), Deterministic(150.0), Objective("wait", 10.0), 1)

    assert all(demand.processes[:4] > 0)
    assert demand.processes[4:].tolist() == [0, 0]


def test_an_impossible_objective_is_said_once():
    demand = demand_of_curve(curve_of(50, 50), Exponential(0.5), Objective("response", 0.1), 1)

    assert demand.note.startswith("no number of processes meets the objective: ")
    assert demand.processes[0] > 25


def test_jobs_demand_slots_while_they_run():
    demand = demand_of_jobs(jobs_of([0.0, 120.0], [60.0, 90.0], 300.0), Objective("wait", 59.0), 1, 60.0)

    assert (demand.processes > 0).tolist() == [True, False, True, True, False]


def test_jobs_without_a_job_demand_nothing():
    assert demand_of_jobs(jobs_of([], [], 150.0), Objective("wait", 5.0), 1, 60.0).processes.tolist() == [0, 0, 0]


def test_jobs_as_dense_as_a_curve_demand_the_same():
    arrivals = np.arange(0, 600, 0.02)
    jobs = demand_of_jobs(jobs_of(arrivals, np.full(len(arrivals), 0.5)), Objective("wait", 0.1), 1, 60.0)

    assert jobs.processes.tolist()[1:] == demand_of_curve(curve_of(*[50] * 9), Deterministic(0.5), Objective("wait", 0.1), 1).processes.tolist()


def test_an_interval_without_length_is_refused():
    with pytest.raises(ScoreError, match="an interval of 0 s has no length"):
        demand_of_jobs(jobs_of([1.0], [1.0]), Objective("wait", 5.0), 1, 0)
