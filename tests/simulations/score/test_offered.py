"""Offered load: nothing arrives twice, nothing is lost, and long services are busy when they are."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler_simulations.durations import Deterministic, Exponential, Lognormal
from autoscaler_simulations.load.trace import JobList, RateCurve
from autoscaler_simulations.score.offered import spread_of_jobs, spread_over_services, trailing_mean
from autoscaler_simulations.score.work import work_of

loads = st.lists(st.floats(0, 100), min_size=1, max_size=40)


def jobs_of(pairs, length=600.0):
    ordered = sorted(pairs)
    return JobList(np.array([a for a, _ in ordered], dtype=float), np.array([s for _, s in ordered], dtype=float), length)


@given(loads, st.integers(1, 50))
def test_a_trailing_mean_is_the_mean_with_nothing_before_the_first(values, intervals):
    padded = [0.0] * intervals + values
    means = [sum(padded[end - intervals + 1 : end + 1]) / intervals for end in range(intervals, len(padded))]

    assert trailing_mean(np.array(values), intervals) == pytest.approx(means, abs=1e-6)


def test_a_trailing_mean_ends_at_exactly_nothing():
    assert trailing_mean(np.array([0.1, 0.7, 0.3, *[0.0] * 9]), 3)[-7:].tolist() == [0.0] * 7


def test_a_job_is_busy_from_its_arrival_to_its_end():
    busy = spread_of_jobs(jobs_of([(30.0, 60.0), (60.0, 120.0)], 240.0), 60.0)

    assert busy == pytest.approx([0.5, 1.5, 1.0, 0.0])


@given(st.lists(st.tuples(st.floats(0, 600), st.floats(0.001, 900)), max_size=30), st.sampled_from([7.0, 60.0, 600.0]))
def test_all_the_work_done_before_the_end_is_offered(pairs, interval):
    jobs = jobs_of(pairs)
    end = interval * math.ceil(600 / interval)

    within = np.minimum(jobs.services, end - jobs.arrivals).clip(0).sum()
    assert spread_of_jobs(jobs, interval).sum() * interval == pytest.approx(within, abs=1e-6)


@pytest.mark.parametrize("service", [Exponential(300.0), Deterministic(250.0), Lognormal(300.0, 4.0)], ids=str)
def test_spread_arrivals_agree_with_the_jobs_themselves(service):
    chance = np.random.default_rng(1)
    rates = np.array([0.0, 40.0, 10.0, 0.0, 80.0, *[0.0] * 15])
    arrivals = np.concatenate([chance.uniform(60 * place, 60 * place + 60, round(60 * rate)) for place, rate in enumerate(rates)])
    jobs = jobs_of(zip(arrivals, service.draw(chance, len(arrivals)), strict=True), 1200.0)

    spread = spread_over_services(RateCurve(60.0, rates), work_of(service, 0.99))
    assert spread == pytest.approx(spread_of_jobs(jobs, 60.0), rel=0.03, abs=0.02 * spread.max())


def test_a_long_service_lags_a_sine_by_the_closed_form():
    times = np.arange(30, 40 * 3600, 60.0)
    curve = RateCurve(60.0, 100 + 40 * np.sin(2 * np.pi * times / 3600))

    busy = spread_over_services(curve, work_of(Exponential(300.0), 0.999))[-120:-60] / 300
    peak = np.argmax(busy) * 60.0 + 30 - 900
    assert busy.max() == pytest.approx(135.4363305726818, rel=2e-3)
    assert peak % 3600 == pytest.approx(276.3649933385704, abs=60)


def test_nothing_is_offered_before_the_first_arrival_and_long_after_the_last():
    spread = spread_over_services(RateCurve(60.0, np.array([0.0, 0.0, 5.0, *[0.0] * 20])), work_of(Deterministic(120.0), 0.99))

    assert spread[:2].tolist() == [0.0, 0.0]
    assert spread[6:].tolist() == [0.0] * 17
    assert spread.sum() == pytest.approx(5.0 * 120.0)
