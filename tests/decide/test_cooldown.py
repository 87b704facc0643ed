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

    decision = worker.tick(15)

    assert decision.target == 13
    assert decision.adjustments[0].rule == "cooldown"


def test_a_wish_no_greater_than_the_grant_waits(make_type):
    worker = make_type(10, scale_out=COOL)
    worker.tick(12)

    assert worker.tick(14).action == "hold"
    assert worker.tick(14, after=60.0).target == 14


def test_a_change_that_was_refused_starts_no_cooldown(make_type):
    worker = make_type(4, scale_in=COOL)
    worker.tick(6, accept=False)

    assert worker.tick(2).target == 2
