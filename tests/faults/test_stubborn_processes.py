"""Processes that do not stop when told, or leave something behind, are ended all the same."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.local_formation import is_alive

IGNORE = "trap '' TERM INT; echo up > up; while :; do sleep 0.02; done"


def test_a_process_that_ignores_term_is_killed_and_counted(stage):
    stage.run(IGNORE)
    stage.wait_file("up")
    stage.scale(web=0)
    stage.wait(lambda seen: not seen.processes)
    assert stage.see().drains_killed == 1
    assert stage.wait_told("killed") == "web.1 was killed: it did not end within 0.3 s of SIGTERM (stop_timeout)"


def test_one_that_ignores_term_does_not_hold_up_the_others(stage):
    stage.run("if [ $PS = web.2 ]; then trap '' TERM; fi; echo up > $PS; while :; do sleep 0.02; done", 3, stop_timeout_seconds=600)
    for number in (1, 2, 3):
        stage.wait_file(f"web.{number}")
    stage.scale(web=0)
    stage.wait(lambda seen: len(seen.processes) == 1)
    assert stage.names() == ["web.2"]
    assert stage.counts().draining == 1


def test_closing_kills_at_the_deadline(stage):
    stage.run(IGNORE)
    stage.wait_file("up")
    stage.close()
    assert " autoscaler | web.1 was killed: it did not end within 0.3 s of SIGTERM (stop_timeout)\n" in stage.printed()


def test_a_number_is_taken_until_its_whole_group_is_gone(stage):
    stage.run("(trap '' TERM; echo up > child; while :; do sleep 0.02; done) & wait", stop_timeout_seconds=0.6)
    stage.wait_file("child")
    stage.scale(web=0)
    stage.wait(lambda seen: seen.counts.draining == 1)
    stage.scale(web=1)
    stage.wait(lambda seen: "web.2" in [process.name for process in seen.processes])
    stage.wait(lambda seen: len(seen.processes) == 1)
    assert stage.see().drains_killed == 1


@pytest.mark.parametrize("how", ["setsid sh -c", "setsid -f sh -c", "env -i setsid sh -c"])
@pytest.mark.parametrize("trap", ["", "trap '' TERM; "])
def test_descendants_in_other_sessions_end_with_their_process(stage, how, trap):
    stage.run(f'{how} "{trap}echo \\$\\$ > pid; while :; do sleep 0.02; done" & sleep 60')
    pid = int(stage.wait_file("pid"))
    stage.scale(web=0)
    stage.wait(lambda seen: not seen.processes)
    assert not is_alive(pid)


def test_a_process_that_daemonizes_itself_is_named_and_is_no_capacity(stage):
    stage.run("setsid -f sh -c 'echo $$ >> pids; exec sleep 60'; until [ -s pids ]; do sleep 0.01; done", startup_seconds=30.0)
    pid = int(stage.wait_file("pids").split()[0])
    assert stage.wait_told("background") == f"web.1 put itself into the background (pid {pid}); run it in the foreground"
    stage.wait_told("exited with status 0")
    assert not is_alive(pid)
    assert stage.counts().running == 0
    assert any("put itself into the background" in note for note in stage.see().notes)


def test_a_daemon_that_ignores_term_is_killed(stage):
    stage.run("setsid -f sh -c 'trap \"\" TERM; echo $$ >> pids; while :; do sleep 0.02; done'; until [ -s pids ]; do sleep 0.01; done")
    pid = int(stage.wait_file("pids").split()[0])
    stage.wait_told("starting again")
    assert not is_alive(pid)


def test_a_python_daemon_is_found_through_its_double_fork(stage):
    daemonize = (
        "import os, time\n"
        "if os.fork(): os._exit(0)\n"
        "os.setsid()\n"
        "if os.fork(): os._exit(0)\n"
        "os.closerange(0, 3)\n"
        "open('pid', 'w').write(f'{os.getpid()}\\n')\n"
        "time.sleep(60)\n"
    )
    (stage.folder / "daemon.py").write_text(daemonize)
    stage.run("exec python3 daemon.py", startup_seconds=30.0)
    stage.wait_told("background")
    stage.wait_told("exited with status 0")
    assert stage.counts().running == 0


def test_workers_that_survive_their_leader_are_ended_before_the_next_start(stage):
    stage.run("echo $$ > leader; sleep 60 & echo $! >> workers; wait", startup_seconds=30.0)
    leader = int(stage.wait_file("leader"))
    worker = int(stage.wait_file("workers"))
    os.kill(leader, signal.SIGKILL)
    assert stage.wait_told("left processes behind").startswith(f"web.1 left processes behind when it ended (pid {worker})")
    stage.wait_told("was ended by SIGKILL")
    assert not is_alive(worker)


def test_closing_finds_daemons_of_running_processes(stage):
    stage.run("setsid -f sh -c 'echo $$ > pid; exec sleep 60'; exec sleep 60")
    pid = int(stage.wait_file("pid"))
    stage.wait_running(1)
    stage.close()
    assert not is_alive(pid)


@pytest.mark.parametrize("leader", ["exec sleep 60", "until [ -s pid ]; do sleep 0.01; done; exit 1"])
def test_a_daemon_that_cleared_its_environment_is_found_by_its_output(stage, leader):
    stage.run(f"(env -i setsid sh -c 'echo $$ > pid; exec sleep 60' &) ; {leader}", startup_seconds=30.0)
    pid = int(stage.wait_file("pid"))
    stage.scale(web=0)
    stage.wait(lambda seen: not seen.processes)
    assert not is_alive(pid)


def test_orphans_of_a_running_process_do_not_stay_zombies(stage, monkeypatch):
    monkeypatch.setattr("autoscaler.act.local.undertaker._SWEEP_SECONDS", 0.05)
    stage.run("(sh -c 'echo $$ > pid; exec sleep 0.01' &) ; exec sleep 60")
    pid = int(stage.wait_file("pid"))
    stage.eventually(lambda: not Path(f"/proc/{pid}").exists())
    stage.wait_running(1)
