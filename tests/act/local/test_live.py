"""The live local formation: counts, numbers, environment, draining."""

from __future__ import annotations

import os
import time

import pytest

from autoscaler.act.backend import BackendError
from autoscaler.model import Address, Change
from tests.local_formation import is_alive, process_type


def test_processes_are_numbered_and_ready_after_their_startup(stage):
    stage.run("exec sleep 60", 3)
    stage.wait_running(3)
    seen = stage.see()
    assert stage.names() == ["web.1", "web.2", "web.3"]
    assert [process.state for process in seen.processes] == ["running"] * 3
    assert [process.metrics for process in seen.processes] == [Address("127.0.0.1", 20000 + n) for n in range(3)]
    assert (seen.startup_seconds, seen.starts) == (pytest.approx(0.05, abs=0.03), 3)


def test_a_process_is_starting_until_it_is_ready(stage):
    stage.run("exec sleep 60", 2, startup_seconds=60.0)
    stage.wait(lambda seen: seen.counts.starting == 2 and seen.starts == 2)
    assert stage.counts().running == 0


def test_a_child_knows_its_name_and_ports(stage):
    stage.connect(
        process_type("web"),
        process_type(
            "worker", command="echo $PS $PORT $METRICS_PORT $PYTHONUNBUFFERED $MINE > told; exec sleep 60", environment={"MINE": "x y", "PORT": "1"}
        ),
    )
    stage.scale(worker=1)
    assert stage.wait_file("told") == f"worker.1 {stage.port + 100} 20100 1 x y\n"


def test_a_child_gets_nothing_that_was_meant_for_the_controller(stage, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/x")
    monkeypatch.setenv("WATCHDOG_USEC", "1")
    monkeypatch.setenv("LISTEN_FDS", "1")
    stage.run('echo "[$NOTIFY_SOCKET$WATCHDOG_USEC$LISTEN_FDS]" > told; exec sleep 60')
    assert stage.wait_file("told") == "[]\n"


def test_a_child_reads_nothing_and_runs_in_the_folder(stage):
    stage.run("cat > read; pwd > where; exec sleep 60")
    assert stage.wait_file("where") == f"{stage.folder}\n"
    assert (stage.folder / "read").read_text() == ""


def test_a_child_leads_a_session_of_its_own(stage):
    stage.run("echo $$ > pid; exec sleep 60")
    pid = int(stage.wait_file("pid"))
    assert os.getsid(pid) == pid
    assert os.getpgid(pid) == pid


def test_commands_come_from_the_procfile(stage):
    (stage.folder / "Procfile").write_text("web: exec sleep 61\n")
    stage.connect(process_type(command=None))
    stage.scale(web=1)
    stage.wait_running(1)


def test_scale_in_takes_the_highest_numbers(stage):
    stage.run("exec sleep 60", 4)
    stage.wait_running(4)
    stage.scale(web=2)
    stage.wait(lambda seen: len(seen.processes) == 2)
    assert stage.names() == ["web.1", "web.2"]


def test_scale_in_sends_each_process_one_term(stage):
    stage.run("trap 'echo term >> $PS; sleep 0.1' TERM; echo up >> $PS; while :; do sleep 0.02; done", 2, stop_timeout_seconds=0.6)
    for name in ("web.1", "web.2"):
        stage.wait_file(name)
    stage.scale(web=1)
    stage.scale(web=0)
    stage.scale(web=0)
    stage.wait(lambda seen: not seen.processes)
    assert [(stage.folder / name).read_text() for name in ("web.1", "web.2")] == ["up\nterm\n"] * 2


def test_a_draining_process_keeps_its_number_and_is_no_capacity(stage):
    stage.run("trap 'sleep 0.4; exit 0' TERM; echo up > $PS; while :; do sleep 0.02; done", 2, stop_timeout_seconds=5)
    for name in ("web.1", "web.2"):
        stage.wait_file(name)
    stage.scale(web=1)
    stage.wait(lambda seen: seen.counts.draining == 1)
    stage.scale(web=2)
    stage.wait_running(2)
    assert stage.names() in (["web.1", "web.2", "web.3"], ["web.1", "web.3"])
    stage.wait(lambda seen: len(seen.processes) == 2)
    assert stage.names() == ["web.1", "web.3"]


def test_a_process_that_was_not_started_yet_is_not_started_any_more(stage):
    stage.run("echo up >> ups; exec sleep 60", 1)
    stage.wait_file("ups")
    stage.scale(web=20)
    stage.scale(web=1)
    stage.wait(lambda seen: len(seen.processes) == 1)
    assert stage.counts().desired == 1


def test_observe_shows_the_new_desired_count_at_once(stage):
    stage.connect(process_type())
    for desired in (3, 1, 0, 2):
        stage.scale(web=desired)
        assert stage.counts().desired == desired


def test_a_negative_count_is_refused(stage):
    backend = stage.connect(process_type())
    assert "ask for 0 or more" in backend.scale((Change("web", 0, -1, ""),))[0].error
    assert stage.counts().desired == 0


def test_closing_ends_every_process(stage):
    stage.run("echo $$ > $PS; exec sleep 60", 3)
    pids = [int(stage.wait_file(f"web.{number}")) for number in (1, 2, 3)]
    stage.close()
    assert [is_alive(pid) for pid in pids] == [False] * 3
    with pytest.raises(BackendError, match="closed"):
        stage.backend.observe()


def test_closing_waits_for_the_drain(stage):
    stage.run("trap 'sleep 0.2; echo done > done; exit 0' TERM; echo up > up; while :; do sleep 0.02; done", stop_timeout_seconds=10)
    stage.wait_file("up")
    stage.close()
    assert (stage.folder / "done").read_text() == "done\n"


def test_closing_in_a_hurry_does_not_wait(stage):
    stage.run("trap '' TERM; echo up > up; while :; do sleep 0.02; done", stop_timeout_seconds=600)
    stage.wait_file("up")
    began = time.monotonic()
    stage.close(hurry=True)
    assert time.monotonic() - began < 60


def test_leaving_the_program_closes_the_formation(stage):
    stage.run("echo $$ > pid; exec sleep 60")
    pid = int(stage.wait_file("pid"))
    stage.backend._close_at_exit()
    assert not is_alive(pid)


def test_a_hundred_process_types_run_side_by_side(stage):
    types = [process_type(f"t{number}", maximum=1) for number in range(100)]
    stage.connect(*types)
    stage.scale(**{each.name: 1 for each in types})
    stage.eventually(lambda: all(seen.counts.running == 1 for seen in stage.observe().types.values()))
    stage.scale(**{each.name: 0 for each in types})
    stage.eventually(lambda: not any(seen.processes for seen in stage.observe().types.values()))
