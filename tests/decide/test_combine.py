"""Stage 1: several policies become one number, and missing data never scales in."""

import pytest

from autoscaler.decide.settings import WhenMissing


@pytest.mark.parametrize(("how", "target"), [("max", 7), ("min", 3), ("sum", 10), ("first", 3)])
def test_policies_combine_as_configured(make_type, how, target):
    assert make_type(5, policies=2, combine=how).tick(3, 7).target == target


@pytest.mark.parametrize(("how", "given", "target"), [("max", (None, 6), 6), ("min", (None, 6), 6), ("sum", (None, 6), 6), ("first", (None, 6), 6)])
def test_an_abstaining_policy_does_not_count(make_type, how, given, target):
    assert make_type(5, policies=2, combine=how).tick(*given).target == target


def test_all_abstaining_means_the_minimum(make_type):
    decision = make_type(5, minimum=2).tick(None)

    assert (decision.target, decision.action) == (2, "scale_in")
    assert "all abstain: the minimum 2" in decision.reason


def test_a_type_without_policies_stays_at_its_minimum(make_type):
    assert make_type(5, policies=0, minimum=3).tick().target == 3


@pytest.mark.parametrize(
    ("how", "given", "target"),
    [
        ("max", (9, "down"), 9),  # need is need, whatever is missing
        ("max", (2, "down"), 5),
        ("sum", (9, "down"), 9),
        ("sum", (2, "down"), 5),
        ("min", (9, "down"), 5),
        ("min", (2, "down"), 5),
        ("first", ("down", 9), 5),
        ("first", (2, "down"), 2),  # the first one decides and has its data
    ],
)
def test_missing_data_scales_out_at_most_and_never_in(make_type, how, given, target):
    assert make_type(5, policies=2, combine=how).tick(*given).target == target


def test_without_any_data_the_size_is_held_and_the_cause_named(make_type):
    decision = make_type(5).tick("connection refused")

    assert (decision.target, decision.action) == (5, "hold")
    assert decision.reason == "queue is missing: connection refused; holding 5"


def test_a_refused_scale_in_on_missing_data_is_an_adjustment(make_type):
    adjustment = make_type(5, policies=2).tick(2, "down").adjustments[0]

    assert (adjustment.rule, adjustment.before, adjustment.after) == ("missing", 2, 5)
    assert "no scale-in on missing data" in adjustment.reason


@pytest.mark.parametrize(
    ("do", "processes", "target"),
    [("hold", 0, 5), ("processes", 3, 3), ("at_least", 3, 5), ("at_least", 8, 8), ("at_most", 3, 3), ("at_most", 8, 5)],
)
def test_when_missing_stands_in_for_the_policy(make_type, do, processes, target):
    assert make_type(5, when_missing=WhenMissing(do, processes)).tick("down").target == target


def test_a_floor_in_a_sum_does_not_feed_on_itself(make_type):
    worker = make_type(7, policies=2, combine="sum", when_missing=WhenMissing("at_least", 2))

    assert [worker.tick("down", 5).target for _ in range(3)] == [7, 7, 7]
    assert worker.tick("down", 6).target == 8


@pytest.mark.parametrize("combine", ["max", "sum", "min"])
def test_at_most_when_missing_keeps_the_whole_up_to_its_number(make_type, combine):
    worker = make_type(7, policies=2, combine=combine, when_missing=WhenMissing("at_most", 5))
    decision = worker.tick("down", 2)

    assert decision.target == 5
    assert decision.reason.endswith("no fewer on missing data: 5")
    assert worker.tick("down", 2).reason.endswith("no scale-in on missing data: 5")


def test_at_most_when_missing_never_lowers_what_another_policy_wants(make_type):
    worker = make_type(7, policies=2, combine="sum", when_missing=WhenMissing("at_most", 3))

    assert [worker.tick("down", 9).target for _ in range(3)] == [9, 9, 9]


def test_the_sum_shows_what_was_added(make_type):
    assert make_type(5, policies=2, combine="sum").tick(3, 4).reason == "3 + 4 = 7: wants 3, wants 4"
