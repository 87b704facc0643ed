"""Confidence: Student's quantiles against their table, and intervals that hold what they promise."""

import numpy as np
import pytest

from autoscaler_simulations.score.confidence import Interval, bootstrap_blocks, interval_of_mean, student_quantile
from autoscaler_simulations.score.errors import ScoreError

# The table of Student's t at 0.975, degrees of freedom 1 to 30.
FIRST_TEN = [12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281]
TO_TWENTY = [2.201, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.093, 2.086]
TO_THIRTY = [2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423]


@pytest.mark.parametrize(("freedom", "value"), [*enumerate(FIRST_TEN + TO_TWENTY + TO_THIRTY, start=1), (100, 1.9840)])
def test_quantiles_agree_with_the_table(freedom, value):
    assert student_quantile(0.975, freedom) == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize(
    ("share", "freedom", "value"), [(0.95, 5, 2.0150), (0.99, 1, 31.8205), (0.995, 30, 2.7500), (0.9995, 2, 31.5991), (0.95, 100, 1.6602)]
)
def test_other_levels_agree_too(share, freedom, value):
    assert student_quantile(share, freedom) == pytest.approx(value, abs=1e-4)


def test_the_interval_of_a_mean_by_hand():
    interval = interval_of_mean(np.array([1.0, 2.0, 3.0]))

    assert (interval.low, interval.mean, interval.high) == pytest.approx((2 - 4.30265 / 3**0.5, 2.0, 2 + 4.30265 / 3**0.5), rel=1e-5)


@pytest.mark.parametrize("values", [[], [3.0]])
def test_one_value_has_no_interval(values):
    assert interval_of_mean(np.array(values)) is None


def holds(interval, truth):
    return interval.low <= truth <= interval.high


def test_ninety_five_of_a_hundred_intervals_hold_the_mean():
    chance = np.random.default_rng(1)
    held = sum(holds(interval_of_mean(chance.normal(10, 3, 5)), 10) for _ in range(1000))

    assert 930 <= held <= 970


def test_most_bootstrapped_intervals_hold_the_ratio():
    chance = np.random.default_rng(2)
    held = 0
    for _ in range(200):
        number = chance.uniform(500, 1500, 60)
        held += holds(bootstrap_blocks(chance.binomial(number.astype(int), 0.05).astype(float), number, chance), 0.05)

    assert 178 <= held <= 199


def test_blocks_of_equal_ratio_leave_no_doubt():
    interval = bootstrap_blocks(np.array([1.0, 3.0]), np.array([10.0, 30.0]), np.random.default_rng(3))

    assert (interval.low, interval.mean, interval.high) == pytest.approx((0.1, 0.1, 0.1))


def test_a_bootstrap_of_many_blocks_reaches_as_far_as_the_normal_law():
    values = np.random.default_rng(6).normal(10, 2, 400)
    interval = bootstrap_blocks(values, np.ones(400), np.random.default_rng(7))

    reach = 1.96 * values.std() / 20
    assert (interval.mean - interval.low, interval.high - interval.mean) == pytest.approx((reach, reach), rel=0.1)


def test_blocks_without_requests_are_left_out():
    with_empty = bootstrap_blocks(np.array([1.0, 0.0, 4.0]), np.array([10.0, 0.0, 20.0]), np.random.default_rng(4))

    assert with_empty == bootstrap_blocks(np.array([1.0, 4.0]), np.array([10.0, 20.0]), np.random.default_rng(4))
    assert with_empty == Interval(0.1, 5 / 30, 0.2)


def test_one_block_has_no_interval():
    assert bootstrap_blocks(np.array([1.0, 0.0]), np.array([9.0, 0.0]), np.random.default_rng(5)) is None


@pytest.mark.parametrize("level", [0.0, 1.0, float("nan")])
def test_a_level_that_promises_nothing_is_refused(level):
    with pytest.raises(ScoreError, match="confidence level"):
        interval_of_mean(np.array([1.0, 2.0]), level)
