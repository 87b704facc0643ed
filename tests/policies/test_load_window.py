"""The mean of a load over sliding windows."""

import json
import sys
from fractions import Fraction

import pytest

from autoscaler.model import Reading
from autoscaler_policies.load_window import windows

STABLE, PANIC = windows(60.0, 6.0, 1.0)


def recorded(window, *readings):
    past = None
    for now, value in readings:
        past = window.record(past, Reading("load", value, now), now)
    return past


def mean(window, past, now):
    return Fraction(*window.average(past, now))


@pytest.mark.parametrize(
    ("spans", "tick", "buckets"),
    [((60.0, 6.0), 1.0, (1.0, 60, 6)), ((60.0, 6.0), 5.0, (5.0, 12, 2)), ((3600.0, 360.0), 1.0, (60.0, 60, 6)), ((6.0, 1.0), 5.0, (5.0, 2, 1))],
)
def test_six_buckets_make_a_panic_window_unless_ticks_are_longer(spans, tick, buckets):
    stable, panic = windows(*spans, tick)

    assert (stable.bucket_seconds, stable.buckets, panic.buckets) == buckets


def test_a_window_spans_all_of_its_buckets():
    assert [window.span_seconds for window in windows(60.0, 6.0, 5.0)] == [60.0, 10.0]


def test_a_window_forgets_what_is_older():
    past = recorded(STABLE, (0.0, 600.0), (30.0, 10.0), (59.0, 20.0))

    assert mean(STABLE, past, 59.0) == 210
    assert mean(STABLE, past, 60.0) == 15
    assert mean(PANIC, past, 59.0) == 20


def test_a_time_without_a_reading_is_not_zero():
    past = recorded(STABLE, (0.0, 12.0), (45.0, 12.0))

    assert mean(STABLE, past, 50.0) == 12


def test_the_newest_reading_counts_when_the_window_has_no_newer_one():
    past = recorded(STABLE, (0.0, 1.0), (10.0, 7.0))

    assert mean(PANIC, past, 30.0) == 7


def test_a_reading_seen_twice_is_recorded_once():
    past = recorded(STABLE, (0.0, 30.0), (2.0, 60.0))

    assert STABLE.record(past, Reading("load", 60.0, 2.0), 4.0) == past


def test_readings_of_one_bucket_are_averaged():
    assert mean(STABLE, recorded(STABLE, (0.1, 10.0), (0.9, 20.0)), 1.0) == 15


def test_sums_are_exact():
    past = recorded(STABLE, *((float(now), 0.1) for now in range(200)))

    assert mean(STABLE, past, 199.0) == Fraction(1, 10)


def test_recording_leaves_the_past_as_it_was():
    past = recorded(STABLE, (0.0, 1.0))
    before = json.dumps(past)
    STABLE.record(past, Reading("load", 5.0, 0.5), 0.5)

    assert json.dumps(past) == before


@pytest.mark.parametrize("now", [-1.0, 61.0])
def test_a_clock_that_jumps_begins_anew(now):
    past = STABLE.record(recorded(STABLE, (0.0, 1.0)), Reading("load", 5.0, now), now)

    assert mean(STABLE, past, now) == 5


def test_five_minutes_of_readings_each_second_stay_small():
    stable, _ = windows(300.0, 30.0, 1.0)
    past = recorded(stable, *((float(now), 1234.5) for now in range(1000)))
    numbers = [*past["sums"], *past["counts"]]

    assert sum(map(sys.getsizeof, [past, past["sums"], past["counts"], *numbers])) < 15_000
