"""The count rule of stable and panic averages, by hand."""

from fractions import Fraction

import pytest

from autoscaler_policies.panic import Averages, PanicRule, PanicState, begin


def rule(**options):
    given = {
        "target": Fraction(10),
        "total": Fraction(20),
        "panic_threshold": Fraction(2),
        "scale_out_factor": Fraction(10),
        "scale_in_factor": Fraction(2),
        "window_seconds": 60.0,
        "tick_seconds": 2.0,
    }
    return PanicRule(**given | options)


def load(stable, panic):
    return Averages(Fraction(stable), Fraction(panic))


CALM = PanicState(None, 1)


@pytest.mark.parametrize(
    ("stable", "panic", "ready", "processes", "since"),
    [
        (50, 50, 5, 5, None),
        (51, 50, 5, 6, None),
        (50, 90, 5, 5, None),  # 9 is less than twice 5
        (50, 91, 5, 10, 7.0),  # 10 is twice 5
        (0, 0, 0, 0, None),
        (11, 11, 0, 2, 7.0),  # none ready counts as one
        (0, 0, 5, 2, None),  # floor(5 / 2)
        (999, 999, 5, 50, 7.0),  # 5 x 10
    ],
)
def test_a_count_by_hand(stable, panic, ready, processes, since):
    sizing = rule().size(load(stable, panic), ready, 7.0, CALM)

    assert (sizing.processes, sizing.state.since) == (processes, since)


def test_a_panic_is_extended_while_it_is_over_the_threshold():
    assert rule().size(load(10, 200), 2, 9.0, PanicState(1.0, 30)).state == PanicState(9.0, 30)


def test_what_was_the_most_of_a_panic_is_dropped_at_its_end():
    assert rule().size(load(20, 20), 2, 61.5, PanicState(1.0, 30)).state == PanicState(None, 0)


def test_without_a_limit_everything_may_go_at_once():
    assert rule(scale_in_factor=None).size(load(1, 1), 100, 0.0, CALM).processes == 1


@pytest.mark.parametrize(("burst", "excess"), [(0, 0), (-1, -1), (10, 15), (36, -11)])
def test_what_is_left_for_a_burst(burst, excess):
    assert rule(burst_capacity=Fraction(burst)).excess_burst_capacity(Fraction(29, 2), 2) == excess  # 40 - burst - 14.5, down


@pytest.mark.parametrize(("ready", "state"), [(0, PanicState(None, 0)), (1, PanicState(None, 1)), (2, PanicState(3.0, 2))])
def test_more_than_one_process_begin_in_panic(ready, state):
    assert begin(3.0, ready) == state
