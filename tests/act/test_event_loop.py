"""The loop serves timers, descriptors and calls in one thread."""

from __future__ import annotations

import os
from threading import Thread

import pytest

from autoscaler.act.event_loop import EventLoop
from autoscaler.clock import SystemClock


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def loop(told):
    made = EventLoop(SystemClock(), told.append)
    yield made
    made.close()


def test_timers_run_in_order_and_cancelled_ones_do_not(loop):
    ran = []
    now = loop.now()
    loop.at(now + 0.02, lambda: (ran.append("late"), loop.stop()))
    loop.at(now, lambda: ran.append("early"))
    loop.at(now - 1, lambda: ran.append("never")).cancel()
    loop.run(lambda: None)
    assert ran == ["early", "late"]


def test_a_call_from_another_thread_wakes_the_loop(loop):
    thread = Thread(target=lambda: loop.call(loop.stop))
    loop.at(loop.now() + 60, lambda: pytest.fail("the loop slept on"))
    thread.start()
    loop.run(lambda: None)
    thread.join()


def test_a_descriptor_unwatched_in_the_same_batch_is_not_served(loop):
    pipes = [os.pipe(), os.pipe()]
    served = []

    def serve(reading: int) -> None:
        served.append(reading)
        for other, _ in pipes:
            loop.unwatch(other)
        loop.stop()

    for reading, writing in pipes:
        os.write(writing, b"x")
        loop.watch(reading, lambda reading=reading: serve(reading))
    loop.run(lambda: None)
    assert len(served) == 1
    for descriptor in sum(pipes, ()):
        os.close(descriptor)


def test_trouble_in_one_action_is_told_and_survived(loop, told):
    def fail() -> None:
        raise OverflowError("too large")

    loop.at(loop.now(), fail)
    loop.at(loop.now(), loop.stop)
    loop.run(lambda: None)
    assert told == ["trouble in the thread that holds the processes, which goes on: too large"]


def test_a_closed_loop_refuses_calls():
    loop = EventLoop(SystemClock(), pytest.fail)
    loop.close()
    assert loop.call(lambda: None) is False
