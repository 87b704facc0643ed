"""Stages 8 and 9: minimum and maximum on every tick, and the operator's last word."""

import pytest

from autoscaler.decide.settings import Pause
from autoscaler.model import Counts


@pytest.mark.parametrize(("wish", "target", "said"), [(0, 2, "the minimum is 2"), (99, 8, "the maximum is 8"), (5, 5, None)])
def test_a_wish_is_kept_within_the_limits(make_type, wish, target, said):
    decision = make_type(4, minimum=2, maximum=8).tick(wish)

    assert decision.target == target
    assert [adjustment.reason for adjustment in decision.adjustments] == ([said] if said else [])


@pytest.mark.parametrize(("desired", "target"), [(0, 2), (20, 8)])
def test_the_limits_hold_without_any_metric(make_type, desired, target):
    assert make_type(desired, minimum=2, maximum=8).tick("down").target == target


def test_a_hand_set_zero_means_off_until_raised_by_hand(make_type):
    worker = make_type(4, minimum=2)
    worker.tick(4)
    worker.desired = 0
    off = worker.tick(6)
    still_off = worker.tick(6)
    worker.desired = 1

    assert (off.target, off.action) == (0, "hold")
    assert still_off.reason == "wants 6; set to 0 by hand, off until it is raised by hand"
    assert worker.tick(6).target == 6


def test_zero_at_the_start_is_not_off(make_type):
    assert make_type(0, minimum=2).tick("down").target == 2


def test_a_change_by_somebody_else_is_named_once(make_type):
    worker = make_type(4)
    worker.tick(4)
    worker.desired = 7

    assert worker.tick(7).reason == "set from 4 to 7 by somebody else; wants 7"
    assert worker.tick(7).reason == "wants 7"


@pytest.mark.parametrize(
    ("pause", "wish", "target"),
    [
        (Pause(scale_out=True, scale_in=True), 9, 5),
        (Pause(scale_out=True, scale_in=True), 2, 5),
        (Pause(scale_out=True), 9, 5),
        (Pause(scale_out=True), 2, 2),
        (Pause(scale_in=True), 9, 9),
        (Pause(scale_in=True), 2, 5),
    ],
)
def test_a_pause_holds_its_directions(make_type, pause, wish, target):
    worker = make_type(5)
    worker.pause = pause

    assert worker.tick(wish).target == target


def test_a_pause_holds_against_the_limits_too(make_type):
    worker = make_type(9, maximum=5)
    worker.pause = Pause(scale_out=True, scale_in=True, reason="incident 12")
    decision = worker.tick(9)

    assert (decision.target, decision.action) == (9, "hold")
    assert decision.reason.endswith("paused: incident 12")


@pytest.mark.parametrize(("wish", "action"), [(5, "none"), (7, "scale_out"), (3, "scale_in")])
def test_the_action_tells_what_the_backend_is_told(make_type, wish, action):
    assert make_type(5).tick(wish).action == action


def test_draining_processes_are_never_capacity(make_type):
    decision = make_type(5).tick(5, counts=Counts(desired=5, running=5, draining=3))

    assert (decision.target, decision.action) == (5, "none")


def test_a_pause_holds_even_a_singleton_that_somebody_doubled(make_type, held_still):
    worker = make_type(2, kind={"is_singleton": True})
    worker.pause = held_still

    assert worker.tick(2).target == 2
