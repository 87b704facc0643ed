"""Whatever children print, and wherever it goes, the formation is kept."""

from __future__ import annotations

import os
import resource
import signal
from contextlib import contextmanager

import pytest

from autoscaler.act.local import Local
from tests.local_formation import count_descriptors


@contextmanager
def output_to(stage, monkeypatch, descriptor: int):
    """Have the formation print to this descriptor until it is closed."""
    monkeypatch.setattr(Local, "output", descriptor)
    yield
    stage.close(hurry=True)


def test_megabytes_without_a_newline_are_split(stage):
    stage.run("head -c 3000000 /dev/zero | tr '\\0' x; exec sleep 60")
    stage.eventually(lambda: stage.output.read_bytes().count(b"x") == 3_000_000)
    assert max(map(len, stage.printed().splitlines())) < 70_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2_000_000  # KiB


@pytest.mark.parametrize("flood", ["exec yes", "exec cat /dev/zero", "exec tr '\\0' '\\n' < /dev/zero"])
def test_a_flood_does_not_stop_the_formation(stage, monkeypatch, flood):
    descriptor = os.open("/dev/null", os.O_WRONLY)
    with output_to(stage, monkeypatch, descriptor):
        stage.run(flood, 2)
        stage.wait_running(2)
        stage.scale(web=1)
        stage.wait(lambda seen: len(seen.processes) == 1)
    os.close(descriptor)


def test_a_reader_that_does_not_read_makes_children_wait(stage, monkeypatch):
    reading, writing = os.pipe()
    with output_to(stage, monkeypatch, writing):
        stage.run("(yes; echo stopped >&2) & echo up > up; wait")
        stage.wait_file("up")
        stage.eventually(stage.backend._writer.is_full)
        stage.scale(web=2)
        stage.wait_running(2)
        assert stage.backend._writer._buffered_bytes < 4 << 20
    os.close(reading)
    os.close(writing)


def test_output_goes_on_when_the_reader_reads_again(stage, monkeypatch):
    reading, writing = os.pipe()
    with output_to(stage, monkeypatch, writing):
        stage.run("seq 1 300000; printf end; exit 1")
        stage.eventually(stage.backend._writer.is_full)
        printed = bytearray()
        while b"| end" not in printed:
            printed += os.read(reading, 1 << 20)
        assert b"| 300000\n" in printed
    os.close(reading)
    os.close(writing)


def test_a_pipe_that_closes_does_not_stop_the_formation(stage, monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    with output_to(stage, monkeypatch, writing):
        stage.run("exec yes", 2)
        assert stage.wait_told("output") == "the output of the processes is dropped: Broken pipe; the processes run on"
        stage.wait_running(2)
        assert len([each for each in stage.happenings if "output" in each]) == 1
    os.close(writing)


def test_a_full_disk_does_not_stop_the_formation(stage, monkeypatch):
    descriptor = os.open("/dev/full", os.O_WRONLY)
    with output_to(stage, monkeypatch, descriptor):
        stage.run("exec yes", 2)
        assert stage.wait_told("output") == "the output of the processes is dropped: No space left on device; the processes run on"
        stage.wait_running(2)
        assert len([each for each in stage.happenings if "output" in each]) == 1
    os.close(descriptor)


def test_a_process_that_closes_its_output_runs_on(stage):
    stage.run("exec >&- 2>&-; echo up > up; exec sleep 60", 2)
    stage.wait_file("up")
    stage.wait_running(2)


def test_a_pipe_that_a_stranger_holds_is_closed_all_the_same(stage):
    before = count_descriptors()
    stranger = "env -i setsid sh -c 'echo $$ > pid; exec sleep 60' 5>&1 >/dev/null 2>&1 &"  # nothing leads back from it once its parent is dead
    stage.run(f"[ -s pid ] || {{ {stranger} }}; until [ -s pid ]; do sleep 0.01; done; exit 1")
    pid = int(stage.wait_file("pid"))
    stage.wait_told("exited with status 1")
    stage.close()
    assert count_descriptors() <= before
    os.kill(pid, signal.SIGKILL)
