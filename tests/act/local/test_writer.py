"""The writer takes everything at once and never makes the supervisor wait."""

from __future__ import annotations

import os
import tty
from contextlib import suppress
from threading import Event

import pytest

from autoscaler.act.local.writer import OutputWriter


class Rig:
    """A writer on a pipe, with what it told."""

    def __init__(self, descriptor: int) -> None:
        self.told: list[str] = []
        self.has_room = Event()
        self.writer = OutputWriter(descriptor, self.told.append, self.has_room.set)
        self.writer.start()


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    yield reading, writing
    for descriptor in (reading, writing):
        with suppress(OSError):  # some tests close one
            os.close(descriptor)


def test_everything_is_written_before_it_closes(pipe):
    rig = Rig(pipe[1])
    for number in range(100):
        rig.writer.put(b"%d\n" % number)
    rig.writer.close(10)
    assert os.read(pipe[0], 65536) == b"".join(b"%d\n" % number for number in range(100))
    assert rig.told == []


def test_a_full_buffer_says_when_there_is_room(pipe):
    rig = Rig(pipe[1])
    while not rig.writer.is_full():
        rig.writer.put(b"x" * 65536)
    os.set_blocking(pipe[0], False)
    while not rig.has_room.is_set():
        with suppress(BlockingIOError):
            os.read(pipe[0], 65536)
    assert not rig.writer.is_full()
    os.close(pipe[0])
    rig.writer.close(10)


def test_a_stuck_output_does_not_hold_up_the_end(pipe):
    rig = Rig(pipe[1])
    rig.writer.put(b"x" * 1_000_000)
    rig.writer.close(0.05)
    assert not rig.writer._thread.is_alive()


def test_an_output_that_closes_is_told_once(pipe, eventually):
    rig = Rig(pipe[1])
    os.close(pipe[0])
    rig.writer.put(b"x")
    eventually(lambda: rig.told)
    rig.writer.put(b"y")
    rig.writer.close(10)
    assert rig.told == ["the output of the processes is dropped: Broken pipe; the processes run on"]


def test_a_full_disk_is_told_once_and_tried_again(eventually):
    descriptor = os.open("/dev/full", os.O_WRONLY)
    rig = Rig(descriptor)
    os.close(descriptor)
    for _ in range(3):
        rig.writer.put(b"x")
        eventually(lambda: not rig.writer._buffer)
    rig.writer.close(10)
    assert rig.told == ["the output of the processes is dropped: No space left on device; the processes run on"]
    assert not rig.writer.has_colour


def test_no_output_at_all_is_told(pipe):
    os.close(pipe[1])
    rig = Rig(pipe[1])
    rig.writer.put(b"x")
    rig.writer.close(10)
    assert rig.told == ["the output of the processes is dropped: there is no output to write it to"]


def test_colours_are_for_terminals_that_want_them(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = os.openpty()
    rig = Rig(theirs)
    assert rig.writer.has_colour
    monkeypatch.setenv("NO_COLOR", "1")
    assert not rig.writer.has_colour
    rig.writer.close(10)
    os.close(ours)
    os.close(theirs)


def test_a_stopped_terminal_does_not_hold_up_the_end():
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    rig = Rig(theirs)
    for _ in range(20):
        rig.writer.put(b"x" * 1_000_000)
    rig.writer.close(0.05)
    os.close(ours)  # hangs up, which ends the write
    rig.writer._thread.join(20)
    assert not rig.writer._thread.is_alive()
    os.close(theirs)
