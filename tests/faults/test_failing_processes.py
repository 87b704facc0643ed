"""Processes that fail are started again, ever more slowly, and said to fail."""

from __future__ import annotations

import os
import resource
from contextlib import suppress

import pytest

from autoscaler.act.backend import BackendError
from autoscaler.act.local import starter
from tests.local_formation import count_descriptors, is_alive, process_type


@pytest.fixture
def impatient(monkeypatch):
    """Start again at once, so that many crashes fit into a test."""
    monkeypatch.setattr(starter, "restart_delay", lambda _failures, _chance: 0.0)


def test_a_crash_is_told_and_followed_by_a_start(stage):
    stage.run("echo up >> ups; [ -e second ] || { touch second; exit 3; }; exec sleep 60")
    told = stage.wait_told("exited with status 3")
    assert told.startswith("web.1 exited with status 3 after 0.")
    assert "; starting again in 0." in told
    stage.wait_running(1)
    assert stage.see().starts == 2


def test_a_command_that_does_not_exist_does_not_loop_hotly(stage):
    stage.run("no-such-command-here")
    stage.wait_told("exited with status 127 (command not found)")
    delays = []
    while len(delays) < 3:
        stage.observe()
        delays = [float(each.split("again in ")[1].removesuffix(" s")) for each in stage.happenings]
    assert delays == sorted(delays)
    assert 0.4 <= delays[0] <= 0.6
    assert 1.6 <= delays[2] <= 2.4
    assert stage.counts().failed == 1


def test_an_end_with_success_is_an_end_too(stage):
    stage.run("exit 0")
    stage.wait_told("web.1 exited with status 0")
    assert stage.counts().running == 0


def test_the_signal_that_ended_a_process_is_named(stage):
    stage.run("kill -SEGV $$")
    stage.wait_told("web.1 was ended by SIGSEGV")


def test_a_real_time_signal_has_a_number(stage):
    stage.run("kill -40 $$")
    stage.wait_told("web.1 was ended by signal 40")


def test_most_starts_failing_is_a_crash_loop(stage, impatient):  # noqa: ARG001 - a fixture
    stage.run("exit 1", 2)
    stage.wait(lambda seen: seen.is_crash_looping)
    (note,) = stage.see().notes
    assert note.startswith("web is crash looping: ")
    stage.scale(web=0)
    stage.wait(lambda seen: not seen.processes)
    assert stage.see().is_crash_looping
    stage.connect(process_type(command="exit 2"), previous=stage.backend)
    assert not stage.see().is_crash_looping


def test_scaling_in_and_out_does_not_start_a_failing_type_more_often(stage):
    stage.run("exit 1", 2)
    stage.wait(lambda seen: seen.starts >= 4)
    for count in (0, 2) * 10:
        stage.scale(web=count)
        stage.wait(lambda seen, count=count: len(seen.processes) == count)
    assert stage.see().starts <= 10


def test_a_stopped_process_is_not_started_again(stage):
    stage.run("exit 1")
    stage.wait_told("exited with status 1")
    stage.scale(web=0)
    stage.wait(lambda seen: not seen.processes)
    starts = stage.see().starts
    stage.connect(process_type("job"), process_type(command="exit 1"), previous=stage.backend)
    stage.scale(job=1)
    stage.wait_running(1, "job")
    assert stage.see().starts == starts


def test_a_process_that_cannot_be_started_at_all_is_told(stage):
    stage.run("exec sleep 60", environment={"BAD": "a\0b"})
    assert stage.wait_told("cannot be started").startswith("web.1 cannot be started: embedded null byte; correct its command or environment; ")
    assert stage.counts().failed == 1


def test_a_folder_that_vanishes_is_told(stage):
    folder = stage.folder / "app"
    folder.mkdir()
    stage.folder = folder
    stage.run("exec sleep 60", 0)
    folder.rmdir()
    stage.scale(web=1)
    assert f"its folder {folder} cannot be entered (No such file or directory); make it again" in stage.wait_told("web.1 cannot be started")


def test_running_out_of_descriptors_is_told_and_survived(stage):
    stage.run("exec sleep 60", 0)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = count_descriptors()
    resource.setrlimit(resource.RLIMIT_NOFILE, (opened, hard))
    try:
        stage.scale(web=3)
        stage.eventually(lambda: any("Too many open files" in each for each in stage.backend.observe().happenings))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    stage.wait_running(3)


def test_many_crashes_leak_no_descriptor(stage, impatient):  # noqa: ARG001 - a fixture
    stage.run("exit 1", 4)
    stage.wait(lambda seen: seen.starts >= 20)
    before = count_descriptors()
    stage.wait(lambda seen: seen.starts >= 220)
    stage.scale(web=0)
    stage.wait(lambda seen: not seen.processes)
    assert count_descriptors() <= before


class Scarcity:
    """Takes the descriptors this program may open; those that come free too, when asked again."""

    def __init__(self) -> None:
        self._before = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._taken: list[int] = []
        resource.setrlimit(resource.RLIMIT_NOFILE, (count_descriptors() + 20, self._before[1]))

    def take(self) -> None:
        with suppress(OSError):
            while True:
                self._taken.append(os.dup(2))

    def end(self) -> None:
        while self._taken:
            os.close(self._taken.pop())
        resource.setrlimit(resource.RLIMIT_NOFILE, self._before)


@pytest.fixture
def scarcity():
    made = Scarcity()
    yield made
    made.end()


def wait_told_without_files(stage, scarcity: Scarcity, text: str) -> None:
    stage.eventually(lambda: (scarcity.take(), any(text in each for each in stage.backend.observe().happenings))[1])


def test_a_port_that_cannot_be_tried_is_tried_again(stage, scarcity):
    stage.run("echo up > up; until [ -e go ]; do sleep 0.01; done; exec python3 -m http.server --bind 127.0.0.1 $PORT", ready="port")
    stage.wait_file("up")
    wait_told_without_files(stage, scarcity, "web.1: its port cannot be tried: Too many open files")
    scarcity.end()
    (stage.folder / "go").touch()
    stage.wait_running(1)


def test_descendants_are_found_after_descriptors_ran_out(stage, scarcity):
    stage.run("setsid sh -c 'echo $$ > pid; exec sleep 60' & exec sleep 60", 1)
    pid = int(stage.wait_file("pid"))
    stage.wait_running(1)
    scarcity.take()
    stage.scale(web=0)
    wait_told_without_files(stage, scarcity, "cannot be looked for: Too many open files")
    assert stage.backend.observe().types["web"].counts.draining == 1
    scarcity.end()
    stage.wait(lambda seen: not seen.processes)
    assert not is_alive(pid)


def test_a_failed_supervisor_leaves_nothing_behind(stage):
    stage.run("(trap '' TERM; exec setsid sh -c 'echo $$ > pid; exec sleep 60') & exec sleep 60", 2)
    pid = int(stage.wait_file("pid"))
    stage.wait_running(2)
    stage.backend._loop.stop()
    stage.backend._loop.call(lambda: None)
    stage.eventually(lambda: not stage.backend._thread.is_alive())
    assert not is_alive(pid)
    with pytest.raises(BackendError, match="has failed and ended them"):
        stage.observe()
