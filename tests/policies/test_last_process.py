"""The bounds of a count, and the way of the last process."""

import pytest

from autoscaler_policies.last_process import Life, Outcome, ZeroRule, bring_to_zero, following_state


def outcome(wanted, state="active", age=0.0, *, life=None, **options):
    rule = ZeroRule(**{"window_seconds": 60.0, "grace_seconds": 30.0} | options)
    found = bring_to_zero(wanted, rule, Life(**{"state": state, "age_seconds": age, "is_initial_reached": True} | (life or {})))
    return found.processes, found.is_written


def test_a_count_within_its_bounds_is_written():
    assert outcome(5, minimum=2, maximum=8) == (5, True)
    assert outcome(1, minimum=2, maximum=8) == (2, True)
    assert outcome(9, minimum=2, maximum=8) == (8, True)


def test_the_minimum_does_not_hold_for_what_no_request_reaches():
    assert outcome(1, minimum=2, is_reachable=False) == (1, True)


def test_an_initial_scale_is_the_minimum_until_it_is_reached():
    new = {"is_initial_reached": False}

    assert outcome(1, initial_scale=4, life=new) == (4, True)
    assert outcome(1, initial_scale=4) == (1, True)
    assert outcome(0, "inactive", 30.0, life=new) == (0, True)  # an initial scale of 1 raises nothing


def test_nothing_known_is_nothing_written():
    assert outcome(None) == (None, False)
    assert outcome(None, "activating", 631.0) == (0, True)
    assert outcome(None, "activating", minimum=2) == (2, True)


def test_the_last_one_stays_where_zero_is_not_allowed():
    assert outcome(0, "inactive", 999.0, is_to_zero_allowed=False) == (1, True)


@pytest.mark.parametrize(
    ("state", "age", "found"),
    [
        ("active", 59.9, (1, True)),
        ("active", 60.0, (0, False)),
        ("inactive", 29.9, (0, False)),
        ("inactive", 30.0, (0, True)),
        ("activating", 630.0, (None, False)),
        ("activating", 630.1, (0, True)),
    ],
)
def test_the_states_on_the_way_to_zero(state, age, found):
    assert outcome(0, state, age) == found


@pytest.mark.parametrize(
    ("age", "proxying", "options", "is_written"),
    [
        (10.0, 30.0, {}, True),  # the proxy took over before
        (10.0, 30.0, {"retention_seconds": 11.0}, False),
        (10.0, 30.0, {"retention_seconds": 11.0, "is_reachable": False}, True),
        (40.0, 0.0, {"retention_seconds": 50.0}, False),
    ],
)
def test_the_grace_ends_earlier_for_a_proxy_and_later_for_a_retention(age, proxying, options, is_written):
    assert outcome(0, "inactive", age, life={"proxying_seconds": proxying}, **options) == (0, is_written)


def test_the_last_one_stays_until_a_proxy_holds_its_requests():
    unproxied = {"is_proxied": False}

    assert outcome(0, "inactive", 99.0, life=unproxied) == (0, False)
    assert outcome(0, "inactive", 99.0, life=unproxied, is_always_proxied=True) == (0, True)


def test_what_is_not_written_says_why():
    rule = ZeroRule(window_seconds=60.0, grace_seconds=30.0)
    life = Life(state="inactive", age_seconds=12.0, is_initial_reached=True)

    assert bring_to_zero(0, rule, life) == Outcome(0, is_written=False, reason="the last one goes in 18 s")


@pytest.mark.parametrize(
    ("state", "processes", "running", "next_state"),
    [
        ("active", 0, 1, "inactive"),
        ("inactive", 3, 0, "activating"),
        ("activating", 3, 1, "active"),
        ("active", 3, 0, "activating"),
        ("activating", None, 0, "activating"),
        ("activating", None, 1, "active"),
        ("inactive", None, 1, "inactive"),
    ],
)
def test_the_state_follows_from_what_came_out(state, processes, running, next_state):
    assert following_state(state, processes, running) == next_state
