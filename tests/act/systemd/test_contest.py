"""Somebody who undoes changes again and again is noticed, and one who corrects a change is not."""

from hypothesis import given
from hypothesis import strategies as st

from autoscaler.act.systemd.contest import REVERSAL_SECONDS, Contest

_MINUTES = 60.0


def _undo_two(contest, now):
    """Have two changes undone at once; return the seconds to hold."""
    return [contest.undone(contest.act(), now) for _ in range(2)][-1]


def test_every_change_has_a_number_of_its_own():
    contest = Contest()

    assert [contest.act() for _ in range(3)] == [1, 2, 3]


def test_one_change_that_is_undone_is_a_correction():
    contest = Contest()

    assert contest.undone(contest.act(), 0.0) == 0.0


@given(parts=st.integers(1, 50))
def test_many_parts_of_one_change_are_one_change(parts):
    contest = Contest()
    action = contest.act()

    assert [contest.undone(action, 1.0 * part) for part in range(parts)] == [0.0] * parts


def test_a_second_change_that_is_undone_is_held_for_five_minutes():
    assert _undo_two(Contest(), 0.0) == 5 * _MINUTES


@given(gap=st.floats(0.0, 2 * REVERSAL_SECONDS))
def test_only_what_is_undone_within_five_minutes_counts_together(gap):
    contest = Contest()
    contest.undone(contest.act(), 1000.0)

    assert (contest.undone(contest.act(), 1000.0 + gap) > 0.0) == (1000.0 + gap - 1000.0 < REVERSAL_SECONDS)


def test_after_a_hold_it_takes_two_changes_again():
    contest = Contest()
    _undo_two(contest, 0.0)

    assert contest.undone(contest.act(), 301.0) == 0.0
    assert contest.undone(contest.act(), 302.0) > 0.0


def test_each_hold_is_twice_as_long_up_to_an_hour():
    contest = Contest()

    holds, now = [], 0.0
    for _ in range(6):
        holds.append(_undo_two(contest, now))
        now += holds[-1] + 1.0

    assert [hold / _MINUTES for hold in holds] == [5, 10, 20, 40, 60, 60]


@given(gaps=st.lists(st.floats(0.0, 7200.0), max_size=60))
def test_a_hold_is_never_longer_than_an_hour_and_never_shorter_than_five_minutes(gaps):
    contest, now = Contest(), 0.0
    for gap in gaps:
        now += gap
        hold = contest.undone(contest.act(), now)
        assert hold == 0.0 or 5 * _MINUTES <= hold <= 60 * _MINUTES
