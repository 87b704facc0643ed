"""Staffing: the fewest processes by the closed forms of queueing theory."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler_simulations.durations import Deterministic, Exponential, Lognormal
from autoscaler_simulations.score.errors import ScoreError
from autoscaler_simulations.score.objective import Objective
from autoscaler_simulations.score.staffing import Staffing
from autoscaler_simulations.score.work import work_of

DISTRIBUTIONS = [Exponential(0.5), Deterministic(0.5), Lognormal(0.5, 4.0)]


def staffing_for(service, objective, slots=1):
    return Staffing(objective, work_of(service, objective.share), slots)


def fewest(offered, service, objective, slots=1):
    return int(staffing_for(service, objective, slots).fewest(np.array([offered]))[0])


def test_a_wait_objective_is_staffed_as_in_the_reference():
    assert fewest(25.0, Exponential(0.5), Objective("wait", 0.1)) == 34


@pytest.mark.parametrize(("offered", "slots", "seconds"), [(4.0, 5, 2.4053448269518145), (90.0, 100, 0.30770379413868715)])
def test_the_share_over_a_wait_is_that_of_the_reference(offered, slots, seconds):
    share = 0.95 if slots == 5 else 0.99

    assert staffing_for(Exponential(1.0), Objective("wait", seconds, share)).share_over(slots, offered) == pytest.approx(1 - share, rel=1e-9)


@pytest.mark.parametrize(("service", "variability"), [(Exponential(1.0), 1.0), (Deterministic(1.0), 0.5), (Lognormal(1.0, 4.0), 2.5)], ids=str)
def test_the_wait_grows_with_the_variability_of_the_service(service, variability):
    share_over = staffing_for(service, Objective("wait", 1.0)).share_over(5, 4.0)

    assert share_over == pytest.approx(0.5541125541125541 * math.exp(-1 / variability), rel=1e-9)


@pytest.mark.parametrize(
    ("offered", "slots", "seconds", "share"),
    [(4.0, 5, 4.19746257838696, 0.95), (90.0, 100, 4.62898875610825, 0.99), (0.8, 1, 14.978661367769956, 0.95)],
)
def test_the_share_over_a_response_is_that_of_the_reference(offered, slots, seconds, share):
    staffing = staffing_for(Exponential(1.0), Objective("response", seconds, share))

    assert staffing.share_over(slots, offered) == pytest.approx(1 - share, rel=0.02)


@pytest.mark.parametrize("service", DISTRIBUTIONS, ids=str)
@pytest.mark.parametrize("objective", [Objective("wait", 0.2), Objective("response", 4.0, 0.95)], ids=str)
@given(offered=st.floats(0.01, 300), slots=st.integers(1, 8))
def test_one_process_less_would_miss_the_objective(service, objective, offered, slots):
    staffing = staffing_for(service, objective, slots)
    processes = int(staffing.fewest(np.array([offered]))[0])

    assert staffing.share_over(processes, offered) <= 1 - objective.share
    assert staffing.share_over(processes - 1, offered) > 1 - objective.share


@given(st.lists(st.floats(0, 500), min_size=1, max_size=40))
def test_many_loads_at_once_are_answered_as_one_by_one(loads):
    staffing = staffing_for(Exponential(0.5), Objective("wait", 0.2))

    assert staffing.fewest(np.array(loads)).tolist() == [int(staffing.fewest(np.array([load]))[0]) for load in loads]


def test_no_load_needs_no_process():
    assert fewest(0.0, Exponential(0.5), Objective("wait", 0.1)) == 0
    assert staffing_for(Exponential(0.5), Objective("wait", 0.1)).fewest(np.zeros(0)).tolist() == []


def test_a_patient_objective_still_needs_more_slots_than_are_busy():
    assert fewest(7.0, Deterministic(0.5), Objective("wait", 1e6)) == 8


def test_slots_are_counted_in_whole_processes():
    assert fewest(25.0, Exponential(0.5), Objective("wait", 0.1), slots=8) == math.ceil(34 / 8)


def test_a_response_shorter_than_the_service_is_said_to_be_impossible():
    objective = Objective("response", 0.5)
    staffing = staffing_for(Exponential(0.5), objective)

    assert "36.8 % of the requests take longer than 0.5 s to serve alone" in staffing.note
    assert int(staffing.fewest(np.array([25.0]))[0]) == fewest(25.0, Exponential(0.5), Objective("wait", 0.0))


def test_what_is_possible_has_no_note():
    assert staffing_for(Exponential(0.5), Objective("response", 5.0)).note is None
    assert staffing_for(Exponential(0.5), Objective("wait", 0.0)).note is None


def test_a_process_without_slots_is_refused():
    with pytest.raises(ScoreError, match="a process with 0 serves nobody"):
        staffing_for(Exponential(0.5), Objective("wait", 0.1), 0)
