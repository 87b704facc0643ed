"""Outcomes: who counts as over the objective, when it was missed for longest, and in which block of time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler_simulations.score.errors import ScoreError
from autoscaler_simulations.score.objective import Objective
from autoscaler_simulations.score.outcomes import Outcomes
from autoscaler_simulations.score.waits import Percentiles

HOUR, DAY = 3600.0, 86400.0


def outcomes_over(seconds=HOUR, objective=None):
    return Outcomes(objective or Objective("wait", 5.0), seconds)


def add(outcomes, arrivals, waits, service=1.0):
    outcomes.add(np.array(arrivals, dtype=float), np.array(waits, dtype=float), np.full(len(arrivals), service))


def test_waits_over_the_objective_are_counted():
    outcomes = outcomes_over()
    add(outcomes, [0, 1, 2, 3], [0, 4, 5, 6])

    waits = outcomes.waits()
    assert (waits.number, waits.over, waits.share) == (4, 1, 0.25)
    assert waits.wait.maximum == 6
    assert waits.response.maximum == 7
    assert waits.response.mean == pytest.approx(4.75)


def test_a_response_objective_judges_the_service_too():
    outcomes = outcomes_over(objective=Objective("response", 5.0))
    add(outcomes, [0, 1, 2, 3], [0, 4, 4.5, 6])

    assert outcomes.waits().over == 2


@given(st.lists(st.tuples(st.floats(0, 7200), st.floats(0, 20), st.floats(0.1, 20)), max_size=30), st.sampled_from(["wait", "response"]))
def test_a_request_taken_back_leaves_no_trace(requests, measure):
    outcomes = outcomes_over(7200.0, Objective(measure, 5.0))
    columns = [np.array([request[place] for request in requests], dtype=float) for place in range(3)]
    outcomes.add(*columns)
    for request in requests:
        outcomes.retract(*request)

    assert (outcomes.waits().number, outcomes.waits().over, outcomes.longest_bad_stretch()) == (0, 0, 0)
    assert outcomes.waits().wait.p50 is None


def test_who_is_refused_is_over_and_in_no_percentile():
    outcomes = outcomes_over()
    outcomes.refuse(10.0)
    outcomes.refuse(20.0, 2.5)

    assert (outcomes.waits().number, outcomes.waits().over) == (3.5, 3.5)
    assert outcomes.waits().wait.mean is None


def test_who_waits_at_the_end_counts_only_when_over_already():
    outcomes = outcomes_over()
    outcomes.leave_waiting(np.array([3590.0, 3594.0, 3595.0, 3599.0]), HOUR)

    assert (outcomes.waits().number, outcomes.waits().over) == (2, 2)


def test_shares_and_weighted_points_count_apart():
    outcomes = outcomes_over()
    outcomes.add_share(100.0, 50.0, 0.5)
    outcomes.add_weighted(np.array([0.0, 2.0]), np.array([1.0, 1.0]), np.array([49.0, 1.0]))

    waits = outcomes.waits()
    assert (waits.number, waits.over) == (50.0, 0.5)
    assert (waits.wait.p95, waits.wait.p99) == (0.0, pytest.approx(2.0, rel=0.001))
    assert waits.response.mean == pytest.approx(1.04)


@pytest.mark.parametrize(
    ("minutes", "longest"),
    [
        ([], 0),
        ([5], 60),
        ([0, 1, 2], 180),
        ([59], 60),
        ([1, 2, 10, 11, 12, 40], 180),
    ],
)
def test_the_longest_bad_stretch_is_the_longest_run_of_bad_minutes(minutes, longest):
    outcomes = outcomes_over()
    for minute in range(60):
        outcomes.add_share(60.0 * minute, 100.0, 2.0 if minute in minutes else 1.0)

    assert outcomes.longest_bad_stretch() == longest


def test_a_minute_without_requests_ends_a_bad_stretch():
    outcomes = outcomes_over()
    for minute in (3, 4, 6, 7, 8):
        outcomes.refuse(60.0 * minute)

    assert outcomes.longest_bad_stretch() == 180


def test_fractions_taken_back_leave_no_bad_minute():
    outcomes = outcomes_over()
    for number in (0.1, 0.2, -0.3):
        outcomes.add_share(0.0, number, number)

    assert outcomes.longest_bad_stretch() == 0


def test_a_bad_stretch_ends_with_the_load():
    outcomes = outcomes_over(90.0)
    outcomes.refuse(0.0)
    outcomes.refuse(80.0)

    assert outcomes.longest_bad_stretch() == 90


def test_a_year_is_cut_into_days_and_at_most_ten_thousand_buckets():
    outcomes = outcomes_over(365 * DAY)
    add(outcomes, [0.0, DAY - 1, DAY, 365 * DAY], [9, 0, 9, 9])

    over, number = outcomes.blocks()
    assert len(over) == 365
    assert [number[0], number[1], number[364], number.sum()] == [2, 1, 1, 4]
    assert [over[0], over[1], over[364], over.sum()] == [1, 1, 1, 3]
    assert 365 * DAY / outcomes.bucket_seconds <= 10_000


@pytest.mark.parametrize(
    ("seconds", "block", "blocks"), [(10.0, HOUR, 1), (6 * HOUR, HOUR, 6), (6 * DAY, HOUR, 144), (7 * DAY, DAY, 7), (7.5 * DAY, DAY, 8)]
)
def test_a_run_shorter_than_a_week_is_cut_into_hours(seconds, block, blocks):
    outcomes = outcomes_over(seconds)

    assert (outcomes.block_seconds, len(outcomes.blocks()[0])) == (block, blocks)


@given(st.lists(st.tuples(st.floats(0, 10 * DAY), st.floats(0, 20)), min_size=1, max_size=40), st.integers(1, 39))
def test_batches_and_single_shares_fall_into_the_same_blocks(requests, cut):
    batched, single = outcomes_over(10 * DAY), outcomes_over(10 * DAY)
    for part in (requests[:cut], requests[cut:]):
        add(batched, [arrival for arrival, _ in part], [wait for _, wait in part])
    for arrival, wait in requests:
        single.add_share(arrival, 1.0, float(wait > 5.0 + 1e-6))

    assert [block.tolist() for block in batched.blocks()] == [block.tolist() for block in single.blocks()]
    assert batched.longest_bad_stretch() == single.longest_bad_stretch()


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_a_run_without_length_is_refused(seconds):
    with pytest.raises(ScoreError, match="cannot be scored; give a length above 0"):
        outcomes_over(seconds)


def test_long_waits_are_written_in_whole_seconds():
    assert str(Percentiles(mean=1157.4, p50=0.0, p95=0.0823, p99=123456.7, p99_9=2.0, maximum=3.0)).startswith(
        "mean 1157 s, p50 0 s, p95 0.0823 s, p99 123457 s, p99.9 2 s"
    )
