from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.model import Adjustment
from autoscaler.serve.tally import Histogram, Tally


@given(st.lists(st.floats(0, 100)))
def test_histogram_counts_every_value_once(values):
    histogram = Histogram((1.0, 10.0))

    for value in values:
        histogram = histogram.add(value)

    below = [sum(value <= 1 for value in values), sum(1 < value <= 10 for value in values), sum(value > 10 for value in values)]
    assert list(histogram.counts) == (below if values else [])
    assert histogram.total == pytest.approx(sum(values))


def test_rule_that_adjusts_twice_counts_once(make_decision, make_tick):
    tally = Tally()

    tally.count(make_tick(make_decision(adjustments=(Adjustment("limits", 5, 4, ""), Adjustment("limits", 4, 3, "")))))

    assert tally.adjustments == {("worker", "limits"): 1}


def test_copy_does_not_follow_later_ticks(make_tick):
    tally = Tally()
    tally.count(make_tick(errors={"worker": "refused"}))

    copy = tally.copy()
    tally.count(make_tick(errors={"worker": "refused"}))

    assert (copy.decisions["worker", "scale_out"], copy.errors["worker"], sum(copy.durations.counts), sum(copy.reactions["worker"].counts)) == (
        1,
        1,
        1,
        1,
    )


def test_forgotten_type_leaves_no_count(make_decision, make_tick):
    tally = Tally()
    tally.count(make_tick(make_decision(), make_decision("web"), errors={"worker": "refused", "web": "refused"}))

    tally.forget_all_but(frozenset({"web"}))

    assert {*tally.reactions, *tally.errors, *(name for name, _ in tally.decisions), *(name for name, _ in tally.adjustments)} == {"web"}
