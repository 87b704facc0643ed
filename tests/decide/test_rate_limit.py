"""Stage 5: so many processes or percent in a period, in whole numbers."""

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.decide.exact import ceiling_of_percent, floor_of_percent
from autoscaler.decide.settings import SCALE_IN, SCALE_OUT, DirectionLimits, RateLimit


def by(amount, unit, period=60.0):
    return RateLimit(amount, unit, period)


@pytest.mark.parametrize(
    ("desired", "limits", "target"),
    [
        (10, [by(4, "processes")], 14),
        (10, [by(50, "percent")], 15),
        (100, [by(10, "percent")], 110),  # a float gives 111
        (3, [by(1, "percent")], 4),
        (0, [by(100, "percent")], 1),  # a percentage of nothing still leaves zero
        (10, [by(4, "processes"), by(100, "percent")], 20),
        (10, [], 500),
    ],
)
def test_scale_out_takes_the_most_its_limits_allow(make_type, desired, limits, target):
    worker = make_type(desired, minimum=0, maximum=1000, scale_out=DirectionLimits(at_most=tuple(limits)))

    assert worker.tick(500).target == target


@pytest.mark.parametrize(
    ("desired", "limits", "target"),
    [
        (10, [by(4, "processes")], 6),
        (10, [by(25, "percent")], 7),
        (1, [by(25, "percent")], 0),  # at least one
        (3, [by(25, "percent")], 2),
        (100, [by(4, "processes"), by(10, "percent")], 90),
        (10, [], 0),
    ],
)
def test_scale_in_takes_the_most_its_limits_allow(make_type, desired, limits, target):
    worker = make_type(desired, minimum=0, maximum=1000, scale_in=DirectionLimits(at_most=tuple(limits)))

    assert worker.tick(0).target == target


@pytest.mark.parametrize(("select", "out", "back"), [("max", 20, 5), ("min", 14, 6), ("disabled", 10, 10)])
def test_select_chooses_among_the_limits(make_type, select, out, back):
    limits = DirectionLimits(at_most=(by(4, "processes"), by(100, "percent")), select=select)
    slow = DirectionLimits(at_most=(by(4, "processes"), by(50, "percent")), select=select)

    assert make_type(10, scale_out=limits, maximum=99).tick(99).target == out
    assert make_type(10, scale_in=slow, minimum=0).tick(0).target == back


def test_changes_accepted_in_the_period_count(make_type):
    worker = make_type(10, maximum=99, scale_out=DirectionLimits(at_most=(by(4, "processes", 15.0),)))
    sizes = [worker.tick(99).target for _ in range(5)]

    assert sizes == [14, 14, 14, 18, 18]


def test_what_somebody_else_removed_is_no_room_for_more(make_type):
    worker = make_type(10, maximum=99, scale_out=DirectionLimits(at_most=(by(4, "processes", 3600.0),)))
    worker.tick(99)
    worker.desired = 3

    assert [worker.tick(99).target for _ in range(3)] == [7, 7, 7]


def test_a_change_done_in_part_counts_as_what_was_done(make_type):
    worker = make_type(10, maximum=99, scale_out=DirectionLimits(at_most=(by(4, "processes", 15.0),)))
    worker.tick(99)
    worker.desired = 12
    decision = worker.tick(99)

    assert decision.target == 14
    assert "somebody else" not in decision.reason


def test_a_refused_change_is_not_counted(make_type):
    worker = make_type(10, maximum=99, scale_out=DirectionLimits(at_most=(by(4, "processes", 15.0),)))
    worker.tick(99, accept=False)

    assert worker.tick(99).target == 14


def test_the_reason_says_how_many_more_are_allowed(make_type):
    worker = make_type(2, scale_out=DirectionLimits(at_most=(by(2, "processes", 15.0),)))

    assert worker.tick(5).reason == "wants 5; 2 more are the most in 15 s"
    assert worker.tick(9).reason == "wants 9; no more in 15 s, 2 were added in it"


def test_the_defaults_double_or_add_four_and_take_a_quarter(make_type):
    worker = make_type(10, maximum=99, scale_out=SCALE_OUT, scale_in=SCALE_IN)

    assert worker.tick(99).target == 20


@given(size=st.integers(0, 10_000), percent=st.integers(0, 1_000))
def test_percentages_are_exact(size, percent):
    assert ceiling_of_percent(size, percent) == ceil(Fraction(size * percent, 100))
    assert floor_of_percent(size, percent) == floor(Fraction(size * percent, 100))
