"""A controller that a service manager started tells it how it goes, from the first tick to the last drain."""

import signal
import socket

import pytest


@pytest.fixture
def manager(folder, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", str(folder / "notify"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(folder / "notify"))
        receiver.settimeout(20)
        yield receiver


def hear(receiver, wanted):
    """Receive until a message holds a line; return all its lines."""
    while wanted not in (lines := receiver.recv(4096).decode().split("\n")):
        pass
    return lines


def test_it_is_ready_with_the_first_tick_and_tells_its_formation(manager, start):
    start("run")

    assert hear(manager, "READY=1")[1].startswith("STATUS=web 0 of 0, worker 0 of 0")
    assert hear(manager, "STATUS=web 2 of 2, worker 3 of 3")


def test_a_reload_and_the_end_are_told(manager, start):
    run = start("run")
    hear(manager, "READY=1")
    run.send(signal.SIGHUP)
    assert hear(manager, "RELOADING=1")[1].startswith("MONOTONIC_USEC=")
    hear(manager, "READY=1")
    run.send(signal.SIGTERM)

    hear(manager, "STOPPING=1")
    assert run.wait() == 0


def test_its_children_do_not_speak_for_it(manager, start, folder):
    (folder / "autoscaler.yaml").write_text(
        "interval: 200ms\nlisten: null\nbackend: local\nformation:\n"
        '  web: {command: "echo socket=$NOTIFY_SOCKET; exec sleep 1000", minimum: 1, maximum: 1}\n'
    )
    run = start("run")
    hear(manager, "STATUS=web 1 of 1")
    run.send(signal.SIGTERM)
    run.wait()

    assert "socket=\n" in run.output
