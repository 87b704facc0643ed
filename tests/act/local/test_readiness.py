"""A process is ready when it has lived, when its port answers, or when it says so."""

from __future__ import annotations

import os
import socket

import pytest

from autoscaler.act.starts import start_timeout
from tests.local_formation import process_type

LISTEN = """exec python3 -c '
import os, socket
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
open("listening", "w").write("yes\\n")
while True: server.accept()
'"""
NOTIFY = """
import os, socket, sys
def say(text):
    address = "\\0" + os.environ["NOTIFY_SOCKET"][1:]
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(text, address)
"""


def notifying(stage, body: str) -> str:
    (stage.folder / "app.py").write_text(NOTIFY + body)
    return "exec python3 app.py"


def test_a_process_without_a_startup_lives_a_second_first(stage):
    stage.run("exec sleep 60", startup_seconds=None)
    stage.wait_running(1)
    assert 1.0 <= stage.see().startup_seconds <= 2.0


def test_a_port_that_answers_is_ready(stage):
    stage.run(LISTEN, socket="port", ready="port")
    stage.wait_running(1)
    assert stage.wait_file("listening") == "yes\n"


def test_a_port_that_nobody_serves_is_not_ready(stage, monkeypatch):
    monkeypatch.setattr("autoscaler.model.ProcessType.start_timeout_seconds", 0.2)
    stage.run("exec sleep 60", ready="port")
    stage.wait(lambda seen: seen.counts.failed == 1)
    assert stage.wait_told("not ready") == f"web.1 is not ready after 0.2 s (ready: port: nothing answers on 127.0.0.1:{stage.port})"
    assert stage.see().notes == (stage.happenings[-1],)


def test_a_process_says_that_it_is_ready(stage):
    stage.run(notifying(stage, 'say(b"STATUS=up\\nREADY=1\\n"); import time; time.sleep(60)'), ready="notify", startup_seconds=None)
    stage.wait_running(1)


def test_a_process_that_came_late_is_ready_after_all(stage, monkeypatch):
    monkeypatch.setattr("autoscaler.model.ProcessType.start_timeout_seconds", 0.05)
    body = 'import time\nwhile not os.path.exists("go"): time.sleep(0.01)\nsay(b"READY=1"); time.sleep(60)'
    stage.run(notifying(stage, body), ready="notify")
    stage.wait_told("no READY=1 came")
    (stage.folder / "go").touch()
    stage.wait_running(1)
    assert stage.see().notes == ()


def test_another_user_cannot_make_a_process_ready(stage, monkeypatch):
    stage.run(notifying(stage, 'open("at", "w").write(os.environ["NOTIFY_SOCKET"] + "\\n"); import time; time.sleep(60)'), ready="notify")
    address = "\0" + stage.wait_file("at").strip()[1:]
    monkeypatch.setattr(os, "getuid", lambda: -1)  # who sends from this test is somebody else
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        for _ in range(3):
            stranger.sendto(b"READY=1", address)
    (stage.folder / "app.py").write_text(NOTIFY + 'say(b"READY=1"); import time; time.sleep(60)')
    stage.scale(web=2)  # the second one is heard after the stranger
    stage.wait_running(1)
    assert [process.state for process in stage.see().processes] == ["starting", "running"]


@pytest.mark.parametrize("ready", ["port", "notify", "lived"])
def test_a_process_can_be_stopped_before_it_is_ready(stage, ready):
    stage.run("echo up > up; exec sleep 60", ready=ready, startup_seconds=30)
    stage.wait_file("up")
    stage.scale(web=0)
    stage.wait(lambda seen: not seen.processes)


def test_ready_port_means_nothing_on_a_shared_socket(stage):
    ((name, sentence),) = stage.plugin.mistakes((process_type(socket="shared", ready="port"),))
    assert name == "web"
    assert "use ready: lived or notify" in sentence


def test_a_helper_that_has_ended_can_say_ready(stage):
    stage.run(notifying(stage, 'if os.fork() == 0:\n    say(b"READY=1"); os._exit(0)\nimport time; time.sleep(60)'), 10, ready="notify")
    stage.wait_running(10)


@pytest.mark.parametrize(("configured", "measured", "seconds"), [(None, 50.0, 150.0), (30.0, 50.0, 90.0), (None, None, 60.0), (None, 2.0, 60.0)])
def test_a_start_may_take_three_times_the_usual(configured, measured, seconds):
    assert start_timeout(process_type(startup_seconds=configured), measured) == seconds
