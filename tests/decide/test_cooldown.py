"""Stage 4: scale-in pauses after any change; a scale-out counts toward the next."""

import pytest

from autoscaler.decide.memory import Memory, SizeChange
from autoscaler.decide.settings import DirectionLimits, RateLimit
from autoscaler.decide.window import Sized

COOL = DirectionLimits(cooldown_seconds=60.0)


@pytest.mark.parametrize("first", [6, 3])
def test_any_change_starts_the_scale_in_cooldown(make_type, first):
    worker = make_type(4, scale_in=COOL)
    worker.tick(first)

    assert worker.tick(2, after=59.0).action == "hold"
    assert worker.tick(2, after=1.0).target == 2


def test_scale_out_ignores_the_scale_in_cooldown(make_type):
    worker = make_type(4, scale_in=COOL)
    worker.tick(3)

    assert worker.tick(9).target == 9


def test_within_a_scale_out_cooldown_only_need_beyond_the_grant_passes(make_type):
    worker = make_type(10, scale_out=COOL)
    worker.tick(12)
    worker.tick(10)
    held = worker.tick(12)

    assert (held.target, held.adjustments[0].rule) == (10, "cooldown")
    assert worker.tick(15).target == 15


def test_a_wish_no_greater_than_the_grant_waits(make_type):
    worker = make_type(10, scale_out=COOL)
    worker.tick(14)
    worker.tick(10)

    assert worker.tick(13).action == "hold"
    assert worker.tick(13, after=60.0).target == 13


def test_what_somebody_else_raised_waits_for_the_cooldown_too(make_type):
    worker = make_type(4, scale_in=COOL)
    worker.tick(4)
    worker.desired = 30

    assert worker.tick(4).action == "hold"
    assert worker.tick(4, after=60.0).target == 4


def test_a_change_that_was_refused_starts_no_cooldown(make_type):
    worker = make_type(4, scale_in=COOL)
    worker.tick(6, accept=False)

    assert worker.tick(2).target == 2


@pytest.mark.parametrize(
    ("limits", "target"),
    [
        (DirectionLimits(stabilization_seconds=60.0, cooldown_seconds=60.0), 8),  # the window lets 9 through, which were granted already
        (DirectionLimits(cooldown_seconds=60.0, at_most=(RateLimit(1, "processes", 5.0),)), 9),  # 12 are beyond that, however slowly they come
    ],
)
def test_what_counts_as_beyond_is_what_the_window_lets_through_before_the_rate(make_type, limits, target):
    worker = make_type(8, scale_out=limits)
    worker.memory = Memory(desired=8, last_tick=0.0, lowest=(Sized(0.0, 9),), changes=(SizeChange(0.0, 6, 10),))

    assert worker.tick(12).target == target


def test_the_last_of_several_changes_starts_the_scale_in_cooldown(make_type):
    worker = make_type(4, scale_in=COOL, scale_out=DirectionLimits(cooldown_seconds=120.0))
    worker.tick(6)
    worker.tick(8, after=30.0)

    assert worker.tick(2, after=59.0).action == "hold"
    assert worker.tick(2, after=1.0).target == 2


def test_the_most_that_was_granted_counts_after_a_scale_in(make_type):
    worker = make_type(5, scale_out=COOL)
    worker.memory = Memory(desired=5, last_tick=0.0, changes=(SizeChange(0.0, 6, 10), SizeChange(1.0, 10, 4), SizeChange(2.0, 4, 5)))

    assert worker.tick(8).target == 5
    assert worker.tick(11).target == 11


def test_reason_counts_the_seconds_until_the_grant_that_holds_is_over(make_type):
    one = make_type(4, scale_out=DirectionLimits(cooldown_seconds=60.0))
    one.tick(10)
    one.tick(10, after=30.0)
    one.tick(11, after=10.0)
    one.tick(6, after=5.0)
    decision = one.tick(8, after=10.0)

    assert "11 were granted already, no more for 45 s" in decision.reason
