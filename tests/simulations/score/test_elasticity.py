"""Elasticity: the worked example of the reference, its undefined cases, and that the meter measures the same."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler_simulations.score.elasticity import ElasticityMeter, elasticity_of
from autoscaler_simulations.score.errors import ScoreError

DEMAND = [2, 3, 4, 4, 3, 2, 2, 5, 5, 1]
SUPPLY = [2, 2, 4, 5, 4, 3, 2, 3, 5, 4]


def of_arrays(demand, supply, interval_seconds=60.0):
    return elasticity_of(np.array(demand, dtype=np.int64), np.array(supply, dtype=np.int64), interval_seconds)


def by_meter(demand, supply, interval_seconds=60.0):
    meter = ElasticityMeter(interval_seconds)
    for wanted, given_ in zip(demand, supply, strict=True):
        meter.add(wanted, given_)
    return meter.elasticity()


@pytest.mark.parametrize("measure", [of_arrays, by_meter])
def test_the_worked_example_comes_out(measure):
    values = measure(DEMAND, SUPPLY)

    assert (values.theta_under_percent, values.theta_over_percent) == pytest.approx((7.333333333333334, 40.83333333333333), rel=1e-12)
    assert (values.tau_under_percent, values.tau_over_percent) == pytest.approx((20, 40), rel=1e-12)
    assert (values.instability_percent, values.jitter_per_second) == pytest.approx((44.44444444444444, 0.0033333333333333335), rel=1e-12)
    assert (values.supply_changes, values.demand_changes) == (8, 6)
    assert (values.deviation(), values.deviation(3)) == pytest.approx((52.33359144022183, 61.11523300939446), rel=1e-12)
    assert (values.missing_processes, values.idle_processes) == pytest.approx((0.3, 0.6), rel=1e-12)
    assert (values.process_hours, values.demand_process_hours) == pytest.approx((0.5666666666666667, 0.5166666666666667), rel=1e-12)


@pytest.mark.shared
@pytest.mark.parametrize("measure", [of_arrays, by_meter])
def test_the_reference_is_reproduced(measure, shared):
    file = json.loads((shared / "reference" / "elasticity_reference.json").read_text())
    values = measure([int(each) for each in file["demand"]], [int(each) for each in file["supply"]], file["dt_s"])

    told = dataclasses.astuple(values)
    keys = ("theta_U_pct", "theta_O_pct", "tau_U_pct", "tau_O_pct", "instability_pct", "jitter_per_s", "E_S", "E_D", "abs_a_U", "abs_a_O")
    assert told == pytest.approx([file[key] for key in (*keys, "process_hours", "oracle_process_hours")], rel=1e-12)
    assert (values.deviation(5), values.deviation(3)) == pytest.approx((file["sigma_p5"], file["sigma_p3"]), rel=1e-12)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=80), st.floats(0.1, 3600))
def test_the_meter_measures_what_the_formulas_do(intervals, interval_seconds):
    demand, supply = zip(*intervals, strict=True)

    told, formulas = (dataclasses.astuple(measure(demand, supply, interval_seconds)) for measure in (by_meter, of_arrays))
    assert told == pytest.approx(formulas, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("measure", [of_arrays, by_meter])
def test_a_demand_of_nothing_divides_as_one(measure):
    assert measure([0, 0], [3, 0]).theta_over_percent == 150.0


@pytest.mark.parametrize("measure", [of_arrays, by_meter])
def test_one_interval_has_no_instability(measure):
    values = measure([2], [1])

    assert (values.instability_percent, values.deviation()) == (None, None)
    assert (values.jitter_per_second, values.theta_under_percent) == (0.0, 50.0)


@pytest.mark.parametrize("measure", [of_arrays, by_meter])
def test_no_interval_is_refused(measure):
    with pytest.raises(ScoreError, match="at least one"):
        measure([], [])


@pytest.mark.parametrize("measure", [of_arrays, by_meter])
@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_an_interval_without_length_is_refused(measure, seconds):
    with pytest.raises(ScoreError, match="has no length"):
        measure([1], [1], seconds)


def test_demand_and_supply_of_different_lengths_are_refused():
    with pytest.raises(ScoreError, match="2 intervals of demand, 1 of supply"):
        of_arrays([1, 2], [1])
