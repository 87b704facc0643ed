"""Lay loads on other intervals, and lose no request."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler_simulations.load.curves import add, coarsen, curve_of, cut, to_curve
from autoscaler_simulations.load.errors import TraceError
from autoscaler_simulations.load.trace import JobList, RateCurve

_RATES = st.lists(st.floats(0.0, 1e4), min_size=1, max_size=60).map(np.array)
_CURVES = st.builds(RateCurve, st.sampled_from([0.1, 1.0, 7.0, 60.0]), _RATES)
_JOBS = st.lists(st.floats(0.0, 1000.0), max_size=50).map(lambda at: JobList(np.sort(np.array(at)), np.ones(len(at)), 1000.0))


def _total(curve):
    return curve.rates.sum() * curve.interval_seconds


@given(st.lists(_CURVES, min_size=1, max_size=4))
def test_a_sum_holds_the_requests_of_all(curves):
    added = add(curves)
    assert _total(added) == pytest.approx(sum(map(_total, curves)), rel=1e-9, abs=1e-6)
    assert added.length_seconds == pytest.approx(max(curve.length_seconds for curve in curves))
    assert added.interval_seconds <= min(curve.interval_seconds for curve in curves) * (1 + 1e-9)
    assert (added.rates >= 0).all()


def test_a_sum_is_laid_on_the_finest_intervals():
    added = add([RateCurve(2.0, np.array([1.0, 3.0])), RateCurve(1.0, np.array([10.0, 20.0, 30.0]))])
    assert added.rates == pytest.approx([11.0, 21.0, 33.0, 3.0])


@pytest.mark.parametrize(("interval", "are_counts", "expected"), [(1.0, True, True), (1.0, False, False), (2.0, True, False)])
def test_a_sum_holds_counts_only_where_all_do_on_the_same_intervals(interval, are_counts, expected):
    whole = RateCurve(1.0, np.array([4.0, 2.0]), are_counts=True)
    assert add([whole, RateCurve(interval, np.array([2.0]), are_counts=are_counts)]).are_counts is expected


def test_a_sum_of_too_many_intervals_is_refused():
    with pytest.raises(TraceError, match="make the intervals longer"):
        add([RateCurve(1e-6, np.ones(1)), RateCurve(3600.0, np.ones(1))])


@given(_JOBS, st.floats(0.1, 5000.0))
def test_every_job_is_counted(jobs, interval):
    curve = to_curve(jobs, interval)
    assert curve.are_counts
    assert _total(curve) == pytest.approx(len(jobs.arrivals))
    assert curve.length_seconds >= jobs.length_seconds * (1 - 1e-8)


def test_jobs_are_counted_in_the_interval_they_arrive_in():
    jobs = JobList(np.array([0.0, 9.9, 10.0, 25.0]), np.ones(4), 30.0)
    assert (to_curve(jobs, 10.0).rates * 10.0).tolist() == [2.0, 1.0, 1.0]


def test_a_job_at_the_very_end_is_counted_in_the_last_interval():
    jobs = JobList(np.array([0.0, 30.0]), np.ones(2), 30.0)
    assert (to_curve(jobs, 10.0).rates * 10).tolist() == [1, 0, 1]


@pytest.mark.parametrize("interval", [0.0, -1.0, float("nan"), float("inf"), 1e-9])
def test_an_interval_that_cannot_be_is_refused(interval):
    with pytest.raises(TraceError, match="interval"):
        to_curve(JobList(np.array([0.0]), np.ones(1), 1.0), interval)


@pytest.mark.parametrize(("length", "interval"), [(21_600.0, 1.0), (86_400.0, 2.0), (604_800.0, 15.0), (31_536_000.0, 900.0), (1e9, 20_000.0)])
def test_long_loads_have_longer_intervals(length, interval):
    curve = curve_of(lambda at: at, length)
    assert curve.interval_seconds == pytest.approx(interval)
    assert len(curve.rates) <= 50_000


@given(st.floats(0.01, 1e8))
def test_a_curve_ends_at_its_length(length):
    curve = curve_of(lambda at: 3.0 * at, length)
    assert curve.length_seconds == pytest.approx(length)
    assert np.allclose(curve.rates, 3.0)


@pytest.mark.parametrize("length", [0.0, -5.0, float("nan"), float("inf")])
def test_a_length_that_cannot_be_is_refused(length):
    with pytest.raises(TraceError, match="give a length above 0"):
        curve_of(lambda at: at, length)


def test_the_beginning_of_a_curve_keeps_whole_intervals():
    trace = cut(RateCurve(10.0, np.array([2.0, 4.0, 6.0]), are_counts=True), 15.0)
    assert (trace.rates.tolist(), trace.are_counts) == ([2.0, 4.0], True)


def test_the_beginning_of_a_job_list_ends_where_it_is_cut():
    trace = cut(JobList(np.array([0.0, 4.0, 5.0]), np.array([1.0, 2.0, 3.0]), 6.0), 5.0)
    assert (trace.arrivals.tolist(), trace.services.tolist(), trace.length_seconds) == ([0.0, 4.0], [1.0, 2.0], 5.0)


@pytest.mark.parametrize("length", [0.0, 31.0, float("nan")])
def test_no_more_than_there_is_can_be_cut(length):
    with pytest.raises(TraceError, match="lasts 30 s"):
        cut(RateCurve(10.0, np.ones(3)), length)


def test_a_fine_curve_is_averaged_over_whole_intervals_of_its_own():
    coarse = coarsen(RateCurve(2.0, np.array([1.0, 3.0, 5.0, 7.0, 9.0])), 4.0)

    assert (coarse.interval_seconds, coarse.rates.tolist()) == (4.0, [2.0, 6.0, 9.0])


def test_a_coarse_curve_stays_as_it_is():
    curve = RateCurve(60.0, np.array([1.0, 3.0]))

    assert coarsen(curve, 60.0) is curve
