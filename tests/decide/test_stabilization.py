"""Stage 3: a size moves only as far as every wish of its window agrees."""

import pytest

from autoscaler.decide.settings import DirectionLimits
from autoscaler.decide.window import Sized, highest, lowest, push_highest, push_lowest

SLOW_IN = DirectionLimits(stabilization_seconds=60.0)
SLOW_OUT = DirectionLimits(stabilization_seconds=60.0)


def test_scale_in_waits_for_the_stabilization_window(make_type):
    worker = make_type(4, scale_in=SLOW_IN)
    held = [worker.tick(2, after=10.0).action for _ in range(6)]

    assert held == ["hold"] * 6
    assert worker.tick(2, after=10.0).target == 2


def test_scale_in_goes_to_the_highest_wish_of_the_window(make_type):
    worker = make_type(9, scale_in=SLOW_IN)
    wishes = [9, 9, 6, 3, 3, 3, 3]

    decision = [worker.tick(wish, after=12.0) for wish in wishes][-1]

    assert decision.target == 6
    assert decision.adjustments[0].reason == "6 is the highest of the last 60 s"


def test_scale_out_goes_to_the_lowest_wish_of_the_window(make_type):
    worker = make_type(2, scale_out=SLOW_OUT)
    wishes = [2, 2, 5, 9, 9, 9, 9]

    assert [worker.tick(wish, after=12.0) for wish in wishes][-1].target == 5


def test_without_a_window_a_wish_passes_at_once(make_type):
    assert make_type(9).tick(3).target == 3


def test_the_first_tick_records_the_size_it_finds(make_type):
    """A takeover: forty run, the queue looks empty, and nobody knows yet what the last minutes held."""
    worker = make_type(40, scale_in=SLOW_IN, minimum=0)

    assert worker.tick(0).action == "hold"


def test_a_metric_back_from_an_outage_empty_is_no_cliff(make_type):
    worker = make_type(40, scale_in=SLOW_IN, minimum=0)
    worker.tick(40)
    for _ in range(72):
        worker.tick("connection refused")
    back = [worker.tick(0).target for _ in range(11)]

    assert back == [40] * 11
    assert worker.tick(0).target == 0


def test_a_gap_between_ticks_waits_for_a_covered_window(make_type):
    worker = make_type(8, scale_in=SLOW_IN)
    for _ in range(20):
        worker.tick(8)

    assert worker.tick(2, after=300.0).action == "hold"
    assert worker.tick(2, after=59.0).action == "hold"


def test_eight_twelve_eight_within_a_minute_does_not_flap(make_type):
    worker = make_type(10, scale_in=DirectionLimits(stabilization_seconds=300.0))
    sizes = [worker.tick(wish, after=15.0).target for wish in (8, 12, 8, 12, 8)]

    assert sizes == [10, 12, 12, 12, 12]


@pytest.mark.parametrize(("push", "ask", "expected"), [(push_lowest, lowest, 2), (push_highest, highest, 7)])
def test_a_window_answers_its_extreme_and_forgets_the_rest(push, ask, expected):
    window = ()
    for now, processes in enumerate((9, 1, 5, 2, 7, 3)):
        window = push(window, Sized(float(now), processes), 4.0)

    assert ask(window, 5.0, 4.0) == expected
    assert len(window) <= 4


def test_an_empty_window_has_no_extreme():
    assert lowest((), 0.0, 60.0) is None
    assert highest((Sized(0.0, 3),), 60.0, 60.0) is None


def test_what_somebody_else_set_stays_for_the_window(make_type):
    worker = make_type(4, scale_in=DirectionLimits(stabilization_seconds=60.0))
    worker.tick(4)
    worker.desired = 9

    assert [worker.tick(4).target for _ in range(13)] == [9] * 12 + [4]
