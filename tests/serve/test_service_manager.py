"""systemd learns that the controller is ready, how the formation is, and that ticks come."""

import os
import socket
from dataclasses import replace

import pytest

from autoscaler.model import Counts, TypeFormation
from autoscaler.serve.service_manager import ServiceManager, formation_in_words


class Receiver(socket.socket):
    """The socket of a service manager."""

    address = ""


@pytest.fixture(params=["file", "abstract"])
def manager(request, tmp_path):
    name = str(tmp_path / "notify") if request.param == "file" else f"\0{tmp_path}"
    with Receiver(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(name)
        receiver.settimeout(5)
        receiver.address = name.replace("\0", "@")
        yield receiver


@pytest.fixture
def troubles():
    return []


@pytest.fixture
def make(clock, troubles):
    return lambda address, **more: ServiceManager({"NOTIFY_SOCKET": address, **more}, os.getpid(), clock, troubles.append)


def said(receiver):
    return receiver.recv(4096).decode().split("\n")


def said_at_once(receiver):
    receiver.settimeout(0)
    try:
        return said(receiver)
    except BlockingIOError:
        return []


FORMATION = {"web": TypeFormation(Counts(3, 2, 1)), "worker": TypeFormation(Counts(1, 1, 0, 2))}


def test_the_first_tick_makes_it_ready_and_tells_the_formation(manager, make, make_tick):
    service = make(manager.address)

    service.ticked(make_tick(formations=FORMATION))

    assert said(manager) == ["READY=1", "STATUS=web 2 of 3 (1 starting), worker 1 of 1 (2 draining)"]


def test_the_formation_is_told_again_only_when_it_changed(manager, make, make_tick):
    service = make(manager.address)
    for counts in (Counts(1, 1), Counts(1, 1), Counts(2, 1, 1)):
        service.ticked(make_tick(formations={"web": TypeFormation(counts)}))

    assert [said(manager)[-1], said(manager)] == ["STATUS=web 1 of 1", ["STATUS=web 1 of 2 (1 starting)"]]
    assert said_at_once(manager) == []


def test_a_type_that_was_not_observed_is_unknown():
    assert formation_in_words({}, {"web": "not observed: away"}) == "web unknown"
    assert formation_in_words({}, {}) == "no process type was observed"


def test_signs_of_life_come_while_ticks_do(manager, make, make_tick, settings):
    service = make(manager.address, WATCHDOG_USEC="30000")
    with service.watched(settings):
        service.ticked(make_tick())
        said(manager)
        assert said(manager) == ["WATCHDOG=1"]


def test_a_loop_that_ticks_no_more_shows_no_life(manager, make, make_tick, settings, clock):
    service = make(manager.address, WATCHDOG_USEC="30000")
    service.reconfigure(replace(settings, interval_seconds=20.0))
    service.ticked(make_tick())
    clock.advance(59.0)
    assert service.lives
    clock.advance(2.0)
    assert not service.lives


def test_draining_processes_keep_it_alive(make, manager, make_tick, clock):
    service = make(manager.address, WATCHDOG_USEC="30000")
    service.ticked(make_tick())
    service.end()
    clock.advance(3600.0)

    assert service.lives
    assert [said(manager)[0], said(manager)] == ["READY=1", ["STOPPING=1", "STATUS=stopping"]]


def test_the_watchdog_of_another_process_is_none_of_ours(manager, make, settings):
    with make(manager.address, WATCHDOG_USEC="3000", WATCHDOG_PID="1").watched(settings):
        manager.settimeout(0.1)
        with pytest.raises(TimeoutError):
            said(manager)


def test_a_reload_is_told_with_its_time(manager, make, clock):
    service = make(manager.address)
    service.reloading()
    service.reloaded()

    assert [said(manager), said(manager)] == [["RELOADING=1", f"MONOTONIC_USEC={round(clock.now() * 1e6)}"], ["READY=1"]]


def test_a_manager_that_is_gone_is_told_once(make, make_tick, troubles, tmp_path):
    service = make(str(tmp_path / "gone"))
    service.ticked(make_tick())
    service.reloaded()

    assert [type(trouble) for trouble in troubles] == [FileNotFoundError]


@pytest.mark.parametrize("address", ["", "vsock:2:1234", "relative"])
def test_without_a_socket_nothing_is_told(make, make_tick, troubles, settings, address):
    service = make(address, WATCHDOG_USEC="nonsense")
    with service.watched(settings):
        service.ticked(make_tick())

    assert troubles == []
