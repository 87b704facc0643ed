"""The backlog policy: its formula, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.model import Counts, MissingReadingError, Observation, ProcessType, Reading
from autoscaler_policies.backlog import Backlog


def observe(*, slots=1, startup=0.0, interval=5.0, **values):
    process_type = ProcessType(name="worker", minimum=0, maximum=99, slots=slots, interval_seconds=interval)
    readings = {metric: Reading(metric, float(value), 0.0) for metric, value in values.items()}
    return Observation(0.0, 0.0, process_type, Counts(2, 2), readings, {"gone": "down"}, startup_seconds=startup)


CLEAR = Backlog(waiting="waiting", busy="busy", job_takes_seconds=0.4, clear_within_seconds=60.0)


@pytest.mark.parametrize(
    ("waiting", "busy", "processes", "reason"),
    [
        (700, 2, 5, "700 waiting / (2.5/s x 60 s) = 4.67 -> 5"),
        (750, 2, 5, "750 waiting / (2.5/s x 60 s) = 5 -> 5"),
        (751, 2, 6, "751 waiting / (2.5/s x 60 s) = 5.01 -> 6"),
        (0, 0, 0, "0 waiting / (2.5/s x 60 s) = 0 -> 0"),
        (1, 0, 1, "1 waiting / (2.5/s x 60 s) = 0.01 -> 1"),
        (10, 7, 7, "7 busy / 1 a process -> 7"),
    ],
)
def test_the_jobs_that_wait_are_cleared_in_time(waiting, busy, processes, reason):
    recommendation = CLEAR.recommend(observe(waiting=waiting, busy=busy), None)

    assert (recommendation.processes, recommendation.reason) == (processes, reason)


def test_no_more_processes_than_jobs_are_wanted():
    hurried = Backlog(waiting="waiting", busy="busy", job_takes_seconds=100.0, clear_within_seconds=10.0)
    recommendation = hurried.recommend(observe(waiting=3, busy=1), None)

    assert recommendation.processes == 4
    assert recommendation.reason == "(3 waiting + 1 busy) / 1 a process -> 4, no more jobs are there"


def test_arrivals_need_their_own_processes():
    policy = Backlog(waiting="waiting", busy="busy", arrival="arrival", job_takes_seconds=0.4, clear_within_seconds=60.0)
    recommendation = policy.recommend(observe(waiting=700, busy=2, arrival=20), None)

    assert recommendation.processes == 13
    assert recommendation.reason == "20/s / 2.5/s + 700 waiting / (2.5/s x 60 s) = 12.67 -> 13"


def test_jobs_that_arrive_until_a_process_is_ready_count_as_there():
    policy = Backlog(waiting="waiting", busy="busy", arrival="arrival", job_takes_seconds=60.0, clear_within_seconds=1.0)
    recommendation = policy.recommend(observe(waiting=2, busy=0, arrival=1, startup=4.0), None)

    assert recommendation.processes == 11  # 2 + 1/s x (4 s + 5 s)


def test_slots_multiply_what_a_process_does():
    assert CLEAR.recommend(observe(slots=4, waiting=700, busy=9), None).processes == 3  # 9 busy / 4 slots


@pytest.mark.parametrize(("waiting", "processes"), [(95, 5), (100, 5), (101, 6), (0, 0)])
def test_a_backlog_per_process_is_a_division(waiting, processes):
    policy = Backlog(waiting="waiting", per_process=20)

    assert policy.recommend(observe(waiting=waiting), None).processes == processes


def test_a_metric_without_a_reading_is_missing():
    with pytest.raises(MissingReadingError, match="gone is missing: down"):
        Backlog(waiting="gone", per_process=20).recommend(observe(), None)


@pytest.mark.parametrize("options", [{}, {"job_takes_seconds": 1.0, "per_process": 2.0}])
def test_either_job_takes_or_per_process_is_given(options):
    with pytest.raises(ValueError, match="either job_takes"):
        Backlog(waiting="waiting", **options)


def test_unknown_busy_is_a_warning():
    assert "busy is not given" in Backlog(waiting="waiting", per_process=1).warnings()[0]
    assert CLEAR.warnings() == ()


@given(st.floats(-1e9, 1e9), st.floats(0, 1e9), st.floats(0, 1e6))
def test_more_jobs_never_mean_fewer_processes(waiting, more, busy):
    fewer = CLEAR.recommend(observe(waiting=waiting, busy=busy), None).processes

    assert CLEAR.recommend(observe(waiting=waiting + more, busy=busy), None).processes >= fewer
