"""Laws of the rate of a counter."""

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autoscaler.observe.counter_rate import Counted, rates
from autoscaler.observe.source import SourceError

_MAIL = (("queue", "mail"),)
_PAGES = (("queue", "pages"),)
_LABELS = st.tuples(st.tuples(st.just("queue"), st.text(max_size=2)))
_COUNTS = st.floats(min_value=0, max_value=1e15)
_SECONDS = st.floats(min_value=0.001, max_value=1e6)
_PAGE = st.dictionaries(_LABELS, st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5)


def _rates(before: dict, after: dict, seconds: float = 10.0) -> list[float]:
    return rates(Counted(100.0, before), Counted(100.0 + seconds, after))


def test_a_counter_that_grows_gives_its_increase_per_second():
    assert _rates({_MAIL: 5, _PAGES: 0}, {_MAIL: 25, _PAGES: 10}) == [2.0, 1.0]


def test_a_counter_that_went_back_began_again_at_zero():
    assert _rates({_MAIL: 500}, {_MAIL: 30}) == [3.0]


def test_series_are_reset_each_on_its_own():
    assert _rates({_MAIL: 500, _PAGES: 0}, {_MAIL: 10, _PAGES: 20}) == [1.0, 2.0]


def test_a_series_that_appears_counts_from_its_second_sample():
    assert _rates({_MAIL: 0}, {_MAIL: 10, _PAGES: 1_000_000}) == [1.0]


def test_a_series_that_disappears_counts_no_longer():
    assert _rates({_MAIL: 0, _PAGES: 5}, {_MAIL: 10}) == [1.0]


def test_series_that_are_all_new_have_no_rate():
    with pytest.raises(SourceError, match="every series of the counter is new"):
        _rates({_MAIL: 0}, {_PAGES: 10})


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_without_time_passing_there_is_no_rate(seconds):
    with pytest.raises(SourceError, match="no newer sample"):
        _rates({_MAIL: 0}, {_MAIL: 10}, seconds)


@given(_PAGE, _PAGE, _SECONDS)
def test_a_rate_is_never_negative(before, after, seconds):
    assume(before.keys() & after.keys())
    assert all(rate >= 0 for rate in _rates(before, after, seconds))


@given(_COUNTS, _COUNTS, _SECONDS)
def test_a_monotone_counter_gives_its_increments_over_the_seconds(first, second, seconds):
    before, after = sorted((first, second))
    passed = (100.0 + seconds) - 100.0
    assert _rates({_MAIL: before}, {_MAIL: after}, seconds) == [(after - before) / passed]


@given(_COUNTS, _COUNTS, _SECONDS)
def test_a_reset_counts_what_came_since(before, after, seconds):
    assume(after < before)
    assert _rates({_MAIL: before}, {_MAIL: after}, seconds) == [after / ((100.0 + seconds) - 100.0)]


@given(st.lists(_COUNTS, min_size=2, max_size=10))
def test_a_rate_never_exceeds_what_was_counted(values):
    increases = [_rates({_MAIL: before}, {_MAIL: after}, 1.0)[0] for before, after in pairwise(values)]
    assert all(increase <= after for increase, after in zip(increases, values[1:], strict=True))
