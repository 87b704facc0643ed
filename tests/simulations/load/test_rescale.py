"""Scale loads to a size of formation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler_simulations.load.errors import TraceError
from autoscaler_simulations.load.rescale import busy_processes, peak_of, rescale
from autoscaler_simulations.load.trace import JobList, RateCurve

_CURVES = st.builds(RateCurve, st.sampled_from([1.0, 7.0, 60.0, 300.0]), st.lists(st.floats(0.1, 1e4), min_size=1, max_size=200).map(np.array))


@given(_CURVES, st.floats(0.5, 500.0), st.integers(1, 16), st.floats(0.01, 100.0))
def test_the_busiest_window_keeps_the_processes_busy(curve, processes, slots, service):
    scaled = rescale(curve, processes, slots, service)
    assert peak_of(scaled) * service / slots == pytest.approx(processes)
    assert busy_processes(scaled, slots, service) == pytest.approx(processes)
    assert scaled.rates / curve.rates == pytest.approx(scaled.rates[0] / curve.rates[0])


@given(st.lists(st.tuples(st.floats(0.0, 5000.0), st.floats(0.1, 500.0)), min_size=1, max_size=40), st.floats(0.5, 50.0))
def test_the_work_of_jobs_in_any_window_keeps_no_more_processes_busy(rows, processes):
    arrivals, services = (np.array(column) for column in zip(*sorted(rows), strict=True))
    window = max(60.0, services.mean())
    scaled = rescale(JobList(arrivals, services, 5000.0), processes, 2, 1.0)
    work = [scaled.services[(arrivals >= at) & (arrivals < at + window)].sum() / window for at in arrivals]
    assert max(work) == pytest.approx(2 * processes)
    assert scaled.arrivals.tolist() == arrivals.tolist()


def test_a_job_at_the_end_of_a_window_is_none_of_it():
    jobs = JobList(np.array([0.0, 60.0]), np.array([6.0, 6.0]), 120.0)
    assert busy_processes(jobs, 1, 1.0) == pytest.approx(0.1)


def test_an_interval_that_is_a_window_but_for_rounding_is_one():
    assert peak_of(RateCurve(60.0 - 1e-9, np.array([1.0, 7.0, 1.0]))) == 7.0


def test_scaled_counts_are_counts_no_more():
    assert not rescale(RateCurve(60.0, np.ones(3), are_counts=True), 5, 1, 1.0).are_counts


def test_one_noisy_second_does_not_decide():
    rates = np.ones(600)
    rates[300] = 61.0
    assert peak_of(RateCurve(1.0, rates)) == pytest.approx(2.0)


def test_the_busiest_window_may_begin_at_any_interval():
    rates = np.zeros(600)
    rates[90:150] = 7.0
    assert peak_of(RateCurve(1.0, rates)) == pytest.approx(7.0)


def test_a_load_shorter_than_a_window_is_one_window():
    assert peak_of(RateCurve(1.0, np.array([1.0, 3.0]))) == 2.0
    assert peak_of(RateCurve(1.0, np.empty(0))) == 0.0


def test_the_peak_of_jobs_is_their_arrivals():
    assert peak_of(JobList(np.arange(0.0, 600.0, 0.5), np.ones(1200), 600.0)) == pytest.approx(2.0)


@pytest.mark.parametrize("trace", [RateCurve(1.0, np.zeros(5)), JobList(np.empty(0), np.empty(0), 10.0)])
def test_an_empty_load_cannot_be_scaled(trace):
    with pytest.raises(TraceError, match="without a request cannot be scaled"):
        rescale(trace, 5, 1, 1.0)


@pytest.mark.parametrize("sizes", [(0, 1, 1.0), (5, 0, 1.0), (5, 1, 0.0), (float("nan"), 1, 1.0), (5, 1, float("inf"))])
def test_a_size_that_is_not_above_zero_is_refused(sizes):
    with pytest.raises(TraceError, match="give one above 0"):
        rescale(RateCurve(1.0, np.ones(5)), *sizes)
