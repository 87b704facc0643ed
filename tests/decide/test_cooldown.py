"""Stage 4: scale-in pauses after any change; a scale-out counts toward the next."""

import pytest

from autoscaler.decide.settings import DirectionLimits

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
