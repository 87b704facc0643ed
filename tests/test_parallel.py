"""Calls run side by side; what one raises is raised by who asked."""

import threading

import pytest

from autoscaler.parallel import Job, side_by_side


def test_answers_come_in_order():
    assert side_by_side([lambda number=number: number * number for number in range(50)], width=4) == [number * number for number in range(50)]


def test_no_call_is_no_answer():
    assert side_by_side([]) == []


def test_as_many_run_at_once_as_the_width_allows():
    meeting = threading.Barrier(4)
    assert len(side_by_side([meeting.wait] * 8, width=4)) == 8


def test_a_failure_is_raised_when_all_have_ended():
    ended: list[int] = []

    def call(number: int) -> None:
        if number == 1:
            raise KeyError(number)
        ended.append(number)

    with pytest.raises(KeyError):
        side_by_side([lambda number=number: call(number) for number in range(6)], width=3)
    assert len(ended) >= 2


def test_where_there_are_no_more_threads_those_there_are_do_it_all(monkeypatch):
    start, started = threading.Thread.start, []

    def scarce(thread: threading.Thread) -> None:
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", scarce)
    assert side_by_side([lambda number=number: number for number in range(9)]) == list(range(9))


def test_one_call_takes_no_thread():
    assert side_by_side([threading.current_thread]) == [threading.current_thread()]


def test_a_job_tells_whether_it_has_ended():
    gate = threading.Event()
    job = Job(lambda: gate.wait(20), "waiting")
    assert not job.wait(0.01)
    gate.set()
    assert job.wait(20)
    assert job.answer() is True
