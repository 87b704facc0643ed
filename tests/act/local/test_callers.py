"""A connection to a type at zero waits, shows, and wakes who decides."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from threading import Event

import pytest

from autoscaler.act.backend import Wakes
from autoscaler.model import Address
from tests.local_formation import count_descriptors, process_type

# Answers one connection after another on the socket it was handed.
SERVE = """
import os, socket
server = socket.socket(fileno=3)
while True:
    client, _ = server.accept()
    client.sendall(os.environ["PS"].encode())
    client.close()
"""


@pytest.fixture
def address(free_port) -> Address:
    return Address("127.0.0.1", free_port)


@pytest.fixture
def served(stage, address):
    (stage.folder / "app.py").write_text(SERVE)
    return process_type(command="exec python3 app.py", socket="shared", listen=address)


@pytest.fixture
def call() -> Iterator:
    """Connect to an address and wait for the answer later."""
    with ExitStack() as calls:
        yield lambda address: calls.enter_context(socket.create_connection((address.host, address.port), timeout=20))


@pytest.fixture
def wakes(stage, monkeypatch):
    """Connect types to a stage and return the list that grows with each wake."""

    def connect(*types, pause_seconds=60.0):
        monkeypatch.setattr("autoscaler.act.local.callers.FIRST_PAUSE_SECONDS", pause_seconds)
        woken = []
        stage.connect(*types).wake_with(lambda: woken.append("woken"))
        return woken

    return connect


def test_the_local_formation_wakes(stage, served):
    assert isinstance(stage.connect(served), Wakes)


def test_a_type_at_zero_is_called_while_a_connection_waits(stage, served, address, call):
    stage.connect(served)
    assert not stage.see().is_called
    early = call(address)
    stage.wait(lambda seen: seen.is_called)
    stage.scale(web=1)
    assert early.makefile().read() == "web.1"
    stage.wait_running(1)
    assert not stage.see().is_called


def test_a_type_is_called_until_its_first_process_takes_the_connection(stage, address, call):
    stage.connect(process_type(command="echo up > up; exec sleep 60", startup_seconds=60.0, socket="shared", listen=address))
    call(address)
    stage.scale(web=1)
    stage.wait_file("up")
    assert (stage.counts().starting, stage.see().is_called) == (1, True)


def test_a_type_with_a_running_process_is_not_called(stage, address, call):
    stage.run(command="exec sleep 60", socket="shared", listen=address)
    stage.wait_running(1)
    call(address)
    assert not stage.see().is_called


def test_a_connection_wakes_once(stage, served, address, call, wakes):
    woken = wakes(served)
    call(address)
    stage.eventually(lambda: woken)
    for _ in range(5):
        call(address)
    assert woken == ["woken"]


def test_a_connection_that_came_before_anybody_could_be_woken_wakes_at_once(stage, served, address, call, wakes):
    woken = wakes(served)
    call(address)
    stage.eventually(lambda: woken)
    later = []
    stage.backend.wake_with(lambda: later.append("woken"))
    stage.eventually(lambda: later)


def test_a_connection_that_nobody_takes_wakes_again_after_pauses(stage, served, address, call, wakes):
    woken = wakes(served, pause_seconds=0.01)
    call(address)
    stage.eventually(lambda: len(woken) >= 4)


def test_a_waiting_connection_does_not_keep_the_supervisor_busy(stage, served, address, call, wakes):
    woken, rounds, is_over = wakes(served), [], Event()
    call(address)
    stage.eventually(lambda: woken)
    supervisor, loop = stage.backend._supervisor, stage.backend._loop
    publish = supervisor._publish
    supervisor._publish = lambda: (rounds.append("round"), publish())
    loop.call(lambda: loop.at(loop.now() + 0.05, is_over.set))
    assert is_over.wait(20)
    assert len(rounds) < 10


def test_a_type_that_goes_to_zero_again_wakes_again(stage, served, address, call, wakes):
    woken = wakes(served)
    for count in (1, 2):
        client = call(address)
        stage.eventually(lambda count=count: len(woken) == count)
        stage.scale(web=1)
        assert client.makefile().read() == "web.1"
        stage.scale(web=0)
        stage.wait(lambda seen: not seen.processes)


def test_a_running_type_wakes_nobody(stage, served, address, call, wakes):
    woken = wakes(served)
    stage.scale(web=1)
    stage.wait_running(1)
    assert call(address).makefile().read() == "web.1"
    stage.scale(web=0)
    stage.wait(lambda seen: not seen.processes)
    assert woken == []


def test_an_address_that_comes_with_a_reload_is_watched_and_one_that_goes_is_not(stage, served, call, wakes, free_ports):
    other = Address("127.0.0.1", free_ports(1)[0])
    woken = wakes(served)
    stage.connect(replace(served, listen=other), previous=stage.backend)
    with pytest.raises(ConnectionRefusedError):
        call(served.listen)
    call(other)
    stage.eventually(lambda: woken)


def test_types_that_swap_their_addresses_are_both_watched(stage, served, call, free_ports):
    other = Address("127.0.0.1", free_ports(1)[0])
    stage.connect(served, replace(served, name="api", listen=other))
    stage.connect(replace(served, listen=other), replace(served, name="api"), previous=stage.backend)
    call(other)
    stage.wait(lambda seen: seen.is_called)
    assert not stage.see("api").is_called


def test_a_renamed_type_is_called_at_the_socket_it_took_over(stage, served, address, call, wakes):
    woken = wakes(served)
    call(address)
    stage.eventually(lambda: woken)
    stage.connect(replace(served, name="www"), previous=stage.backend)
    stage.wait(lambda seen: seen.is_called, "www")
    stage.scale(www=1)
    stage.wait_running(1, "www")


def test_a_removed_type_is_not_watched_any_more(stage, served, address, wakes):
    wakes(served)
    stage.connect(process_type("job"), previous=stage.backend)
    assert stage.backend._supervisor._callers._watched == set()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.host, address.port))


def test_each_type_has_a_port_of_its_own_where_the_system_chooses_it(stage, served, wakes, call):
    woken = wakes(*[replace(served, name=name, listen=Address("127.0.0.1", 0)) for name in ("web", "api")])
    ports = {key[1]: listener.getsockname()[1] for key, listener in stage.backend._listeners._sockets.items()}
    call(Address("127.0.0.1", ports["api"]))
    stage.wait(lambda seen: seen.is_called, "api")
    stage.eventually(lambda: woken)
    assert not stage.see("web").is_called


def test_closing_with_a_waiting_connection_leaves_nothing_open(stage, served, address, wakes):
    before = count_descriptors()
    woken = wakes(served)
    with socket.create_connection((address.host, address.port), timeout=20):
        stage.eventually(lambda: woken)
        stage.close()
    assert count_descriptors() == before
    assert len(woken) == 1


def test_an_observer_sees_who_calls(stage, served, address, call):
    stage.connect(served)
    call(address)
    assert stage.plugin.observer((served,)).observe().types["web"].is_called


@pytest.mark.parametrize(("kind", "starts"), [("shared", True), ("port", False), ("none", False)])
def test_only_a_shared_socket_starts_on_a_connection(stage, address, kind, starts):
    assert stage.plugin.starts_on_connection(process_type(socket=kind, listen=address)) is starts
