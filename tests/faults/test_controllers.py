"""Two controllers, an occupied port, an end in the middle of a start: nothing breaks and nothing is left."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import pytest

from autoscaler.act.backend import BackendError
from autoscaler.model import Address
from tests.local_formation import count_descriptors, is_alive, list_marked, process_type

CONTROLLER = """
import signal, sys
from threading import Event
from autoscaler.act.local import Local
from autoscaler.model import Change, ProcessType
web = ProcessType(name="web", minimum=0, maximum=100, command="exec sleep 60", stop_timeout_seconds=1)
backend = Local(procfile=sys.argv[1]).connect((web,), None)
ended = Event()
signal.signal(signal.SIGTERM, lambda *_: ended.set())
backend.scale((Change("web", 0, 100, ""),))
print("scaling", flush=True)
if sys.argv[2] == "closes":
    while not ended.wait(0.01): pass
    backend.close(Event())
elif sys.argv[2] == "breaks":
    raise SystemExit(3)
"""


def start_controller(stage, how: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-W", "error", "-c", CONTROLLER, str(stage.folder / "Procfile"), how], stdout=subprocess.PIPE)


def test_a_second_controller_is_refused_and_the_first_runs_on(stage):
    stage.run("exec sleep 60")
    stage.wait_running(1)
    with pytest.raises(BackendError, match="already runs the formation"):
        stage.plugin.connect((process_type(),), None)
    assert stage.counts().running == 1


def test_an_occupied_address_is_named_before_anything_starts(stage):
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = Address("127.0.0.1", other.getsockname()[1])
        with pytest.raises(BackendError) as error:
            stage.connect(process_type("job"), process_type("web", socket="shared", listen=address))
    assert str(error.value) == f"formation.web.listen: {address} is in use by another program; end it, or choose another port"


def test_an_occupied_port_of_a_process_is_named_until_it_is_free(stage):
    with socket.create_server(("127.0.0.1", stage.port)):
        stage.run("exec sleep 60", socket="port")
        told = stage.wait_told("in use")
        assert told.startswith(f"web.1 cannot be started: its port {stage.port} is in use by another program; end it, or choose another `port`")
        assert stage.counts().failed == 1
    stage.wait_running(1)


def test_a_failed_start_leaves_nothing_open(stage):
    before = count_descriptors()
    with pytest.raises(BackendError, match="listen: missing"):
        stage.connect(process_type("web", socket="shared", listen=Address("127.0.0.1", 0)), process_type("api", socket="shared"))
    assert count_descriptors() == before
    stage.connect(process_type())  # and the formation is not locked


def test_term_in_the_middle_of_a_scale_out_leaves_nothing(stage, marker):
    with start_controller(stage, "closes") as controller:
        assert controller.stdout.readline() == b"scaling\n"
        controller.send_signal(signal.SIGTERM)
        assert controller.wait(60) == 0
    assert list_marked(marker) == []


def test_a_controller_that_breaks_leaves_nothing(stage, marker):
    with start_controller(stage, "breaks") as controller:
        assert controller.wait(60) == 3
    assert list_marked(marker) == []


def test_closing_in_the_middle_of_a_scale_out_leaves_nothing(stage):
    stage.connect(*[process_type(f"t{number}", maximum=10) for number in range(10)])
    stage.scale(**{f"t{number}": 10 for number in range(10)})
    stage.close()


def test_a_supervisor_that_fails_leaves_no_process(stage, monkeypatch):
    stage.run("echo $$ > pid; exec sleep 60")
    pid = int(stage.wait_file("pid"))
    monkeypatch.setattr("threading.excepthook", lambda _: None)
    stage.backend._loop.call(lambda: 1 / 0)
    stage.eventually(lambda: stage.backend.is_closed)
    assert not is_alive(pid)
    with pytest.raises(BackendError, match="the supervisor of the local processes has failed and ended them"):
        stage.observe()


def test_a_process_of_ours_that_was_lost_is_killed(stage, monkeypatch):
    monkeypatch.setattr("autoscaler.act.local.undertaker._SWEEP_SECONDS", 0.02)
    stage.run("echo $AUTOSCALER_PROCESS > marker; exit 1")
    token = stage.wait_file("marker").partition("/")[0]
    with subprocess.Popen(["sleep", "60"], env={"AUTOSCALER_PROCESS": f"{token}/999/web.9"}, start_new_session=True) as lost:
        stage.scale(web=0)
        stage.wait_told(f"a process left behind in the background was killed (pid {lost.pid})")
        assert lost.wait() == -signal.SIGKILL


def test_children_of_others_in_this_program_are_left_alone(stage, monkeypatch):
    monkeypatch.setattr("autoscaler.act.local.undertaker._SWEEP_SECONDS", 0.02)
    with subprocess.Popen(["sh", "-c", "exit 7"], start_new_session=True) as other:
        stage.run("exit 1")
        stage.wait_told("exited with status 1")
        stage.wait_told("starting again")
        stage.eventually(lambda: stage.see().starts >= 2)
        assert other.wait() == 7
