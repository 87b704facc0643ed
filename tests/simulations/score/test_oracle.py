"""The clairvoyant's bounds: as cheap as the cheapest of all supplies, tried one by one."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler_simulations.score.demand import Demand
from autoscaler_simulations.score.errors import ScoreError
from autoscaler_simulations.score.oracle import bounds_of, clairvoyant_minimum, clairvoyant_optimum

MINUTE = 60.0
seconds = st.sampled_from([0.0, 1.0, 30.0, 60.0, 90.0, 119.0, 120.0, 400.0])


def optimum_of(demand, startup=45.0, stop=10.0):
    return clairvoyant_optimum(np.array(demand, dtype=np.int64), MINUTE, startup, stop)


def cost_of(supply, startup, stop):
    steps = [after - before for before, after in itertools.pairwise(supply)]
    return MINUTE * sum(supply) + startup * sum(max(step, 0) for step in steps) + stop * sum(max(-step, 0) for step in steps)


def cheapest_by_trying(demand, startup, stop):
    choices = [range(wanted, max(demand) + 1) for wanted in demand]
    return min(cost_of(supply, startup, stop) for supply in itertools.product(*choices))


def cheapest_by_dynamic_program(demand, startup, stop):
    """Go from interval to interval with the cheapest cost of every number of processes, by prefix minima."""
    numbers = np.arange(max(demand) + 1)
    costs = np.where(numbers >= demand[0], MINUTE * numbers, np.inf)
    for wanted in demand[1:]:
        started = np.minimum.accumulate(costs - startup * numbers) + startup * numbers
        stopped = np.minimum.accumulate((costs + stop * numbers)[::-1])[::-1] - stop * numbers
        costs = np.where(numbers >= wanted, np.minimum(started, stopped) + MINUTE * numbers, np.inf)
    return costs.min()


@given(st.lists(st.integers(0, 3), min_size=1, max_size=5), seconds, seconds)
def test_no_supply_is_cheaper(demand, startup, stop):
    assert optimum_of(demand, startup, stop).process_seconds == pytest.approx(cheapest_by_trying(demand, startup, stop), rel=1e-12)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=200), seconds, seconds)
def test_the_levels_cost_what_the_dynamic_program_over_processes_costs(demand, startup, stop):
    assert optimum_of(demand, startup, stop).process_seconds == pytest.approx(cheapest_by_dynamic_program(demand, startup, stop), rel=1e-12)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=50))
def test_with_free_starts_and_stops_the_demand_is_optimal(demand):
    assert optimum_of(demand, 0.0, 0.0).process_seconds == clairvoyant_minimum(np.array(demand), MINUTE)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=50), seconds, seconds)
def test_starts_less_stops_is_what_the_supply_grew_by(demand, startup, stop):
    optimum = optimum_of(demand, startup, stop)

    assert abs(optimum.starts - optimum.stops) <= max(demand)
    assert optimum.process_seconds >= sum(demand) * MINUTE


@pytest.mark.parametrize(("gap", "starts", "cost"), [(1, 0, 240.0), (2, 1, 180.0 + 60.0 + 20.0)])
def test_a_gap_is_bridged_when_keeping_costs_no_more(gap, starts, cost):
    optimum = optimum_of([1, *[0] * gap, 1, 1], 60.0, 20.0)

    assert (optimum.process_seconds, optimum.starts, optimum.stops) == (cost, starts, starts)


def test_what_is_there_at_first_is_given_and_what_is_there_at_last_stays():
    optimum = optimum_of([4, 4], 600.0, 600.0)

    assert (optimum.process_seconds, optimum.starts, optimum.stops) == (480.0, 0, 0)


def test_no_demand_costs_nothing():
    for demand in ([], [0, 0, 0]):
        optimum = optimum_of(demand)
        assert (optimum.process_seconds, optimum.starts, optimum.stops) == (0.0, 0, 0)


def test_both_bounds_are_told_in_process_hours():
    bounds = bounds_of(Demand(3600.0, np.array([1, 2, 0, 0, 0, 1]), "a note"), 1800.0, 0.0)

    assert (bounds.demand_process_hours, bounds.optimal_process_hours, bounds.note) == (4.0, 5.0, "a note")


@pytest.mark.parametrize(("interval", "startup", "stop"), [(0.0, 1.0, 1.0), (60.0, -1.0, 1.0), (60.0, 1.0, float("nan"))])
def test_impossible_times_are_refused(interval, startup, stop):
    with pytest.raises(ScoreError, match="give an interval above 0 and the others at least 0"):
        clairvoyant_optimum(np.array([1]), interval, startup, stop)
