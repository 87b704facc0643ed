"""Starts that fail are repeated ever more slowly, and most failing is a crash loop."""

from __future__ import annotations

import pytest

from autoscaler.act.starts import StartHistory, restart_delay


def history_of(*failed: tuple[int, bool]) -> StartHistory:
    history = StartHistory()
    for number, has_failed in failed:
        start = history.begin(number)
        start.has_failed, start.is_ready = has_failed, not has_failed
    return history


@pytest.mark.parametrize(("failures", "seconds"), [(1, 0.5), (2, 1.0), (3, 2.0), (7, 30.0), (5000, 30.0)])
def test_the_delay_doubles_up_to_a_limit(failures, seconds):
    assert restart_delay(failures, 0.5) == pytest.approx(seconds)


def test_the_delay_varies_by_a_fifth():
    assert restart_delay(1, 0.0) == pytest.approx(0.4)
    assert restart_delay(1, 1.0) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("starts", "running", "is_loop"),
    [
        ([], 0, False),
        ([(1, True), (1, True)], 0, False),
        ([(1, True), (1, True), (1, True)], 0, True),
        ([(1, True), (1, True), (1, False)], 0, True),
        ([(1, True), (1, False), (1, False)], 0, False),
        ([(1, True), (2, True), (3, False), (4, False)], 4, False),
        ([(3, True)] * 9, 2, False),
        ([(1, True), (2, True), (3, False)], 1, True),
        ([(n, True) for n in range(1, 4)] + [(n, False) for n in range(4, 14)], 10, False),
        ([(n, False) for n in range(1, 11)] + [(11, True), (12, True)] * 3, 10, True),
    ],
)
def test_most_recent_starts_failing_is_a_crash_loop(starts, running, is_loop):
    assert history_of(*starts).is_crash_looping(running) is is_loop


def test_starts_under_way_say_nothing_of_a_loop():
    history = history_of((1, True), (2, True), (3, True))
    for number in (1, 2, 3):
        history.begin(number)

    assert history.is_crash_looping(0)


def test_a_start_that_went_well_ends_the_loop():
    history = history_of((1, True), (1, True), (1, True))
    start = history.begin(1)
    assert history.is_crash_looping(0)
    history.settle(start)
    assert not history.is_crash_looping(1)


def test_a_start_that_went_well_forgives_its_own_number_only():
    history = history_of((1, True), (2, True), (3, True))
    history.settle(history.begin(1))

    assert history.count_failures(4) == (2, 3)


def test_a_number_that_is_used_again_is_retired_with_its_new_starts_only():
    history = history_of((1, True))
    first = history.retire(1, failures=1, failed_at=0.0)
    history.begin(1).has_failed = True

    assert first[0] not in history.retire(1, failures=1, failed_at=1.0)


def test_failures_of_a_number_that_is_gone_count_for_a_while():
    history = history_of((1, True), (1, True), (1, True), (1, False))
    failed = history.retire(1, failures=3, failed_at=100.0)
    assert history.is_crash_looping(0)
    assert [history.recall_failures(now) for now in (100.0, 399.0, 400.0)] == [3, 3, 0]
    history.forget(failed)
    assert not history.is_crash_looping(0)


def test_fewer_failures_do_not_shorten_the_memory():
    history = StartHistory()
    history.retire(1, failures=5, failed_at=100.0)
    history.retire(2, failures=1, failed_at=200.0)
    history.retire(3, failures=0, failed_at=0.0)
    assert history.recall_failures(450.0) == 5


@pytest.mark.parametrize("forgive", [lambda history: history.settle(history.begin(2)), StartHistory.forgive])
def test_a_good_start_or_another_command_forgives(forgive):
    history = history_of((1, True), (1, True), (1, True))
    history.retire(1, failures=3, failed_at=100.0)
    forgive(history)
    assert not history.is_crash_looping(0)
    assert history.recall_failures(100.0) == 0


def test_the_startup_is_the_median_and_steady():
    history = StartHistory()
    assert history.startup_seconds is None
    told = []
    for seconds in (2.04, 2.1, 9.0, 2.15, 2.1, 4.0, 4.0, 4.0, 4.0, 4.0):
        history.add_startup(seconds)
        told.append(history.startup_seconds)
    assert told[:5] == [2.0] * 5
    assert told[-1] == 4.0
