"""Drive real runit, supervisor and s6 by their examples."""

import os
import signal
from functools import partial
from threading import Event

import pytest

from autoscaler.model import Change, Counts
from tests.supervisors import CRASHER, STUBBORN, TYPES

pytestmark = pytest.mark.server


class Driven:
    """A process manager, and the backend that drives it."""

    def __init__(self, manager, eventually):
        self.manager = manager
        self.eventually = partial(eventually, pause=0.1)  # each look starts several programs
        manager.start()
        self.backend = manager.plugin().connect(TYPES, None)
        self.eventually(lambda: self.formation().types.keys() == {"web", "worker"})

    def formation(self):
        return self.backend.observe()

    def see(self, name="web"):
        """Return what is known of a type; fail when nothing is."""
        formation = self.formation()
        assert name in formation.types, formation.errors
        return formation.types[name]

    def counts(self, name="web"):
        return self.see(name).counts

    def scale(self, target, name="web", loads=None):
        (outcome,) = self.backend.scale((Change(name, 0, target, "test", loads or {}),))
        return outcome.error

    def wait(self, name="web", **counts):
        self.eventually(lambda: self.counts(name) == Counts(**counts))


@pytest.fixture(params=["runit", "supervisor", "s6"])
def drive(request, make_manager, eventually):
    driven = []

    def start(ready_after=0, **scripts):
        manager = make_manager(request.param, ready_after=ready_after)
        for name, script in scripts.items():
            manager.define(name, script)
        driven.append(Driven(manager, eventually))
        return driven[-1]

    yield start
    for each in driven:
        each.backend.close(Event())


def test_processes_come_and_go(drive):
    driven = drive(ready_after=1)
    assert driven.scale(3) is None
    assert driven.counts().desired == 3
    driven.wait(desired=3, running=3)
    assert [each.name for each in driven.see().processes] == ["web.1", "web.2", "web.3"]
    assert driven.scale(4) == "4 processes cannot run, the process manager has 3; create more, or lower the maximum"
    assert driven.counts() == Counts(desired=3, running=3)
    assert driven.scale(1, loads={"web.1": 0.1, "web.2": 0.9, "web.3": 0.5}) is None
    assert driven.counts().desired == 1
    driven.wait(desired=1, running=1)
    assert [each.name for each in driven.see().processes] == ["web.2"]
    assert driven.scale(0) is None
    driven.wait(desired=0)
    assert driven.counts("worker") == Counts(desired=0)
    driven.eventually(lambda: driven.manager.pids() == [])


def test_a_process_that_drains_is_no_capacity_and_is_waited_for_before_it_starts_again(drive):
    driven = drive(web=STUBBORN)
    driven.scale(2)
    driven.wait(desired=2, running=2)
    assert driven.scale(0) is None
    assert driven.counts() == Counts(desired=0, draining=2)
    assert driven.scale(3) is None
    driven.wait(desired=1, running=1, draining=2)
    assert "still drain" in driven.see().notes[0]
    (driven.manager.folder / "enough").touch()
    driven.eventually(lambda: driven.counts().draining == 0)
    assert driven.scale(3) is None
    driven.wait(desired=3, running=3)


def test_a_process_that_dies_comes_back(drive):
    driven = drive()
    driven.scale(1)
    driven.wait(desired=1, running=1)
    (pid,) = driven.manager.pids()
    os.kill(pid, signal.SIGKILL)
    driven.eventually(lambda: driven.counts() != Counts(desired=1, running=1) or driven.manager.pids() not in ([], [pid]))
    driven.wait(desired=1, running=1)
    assert driven.manager.pids() != [pid]


def test_a_process_that_cannot_live_is_failed_and_still_wanted(drive):
    driven = drive(web=CRASHER, ready_after=1)
    driven.scale(1)
    driven.eventually(lambda: driven.counts() == Counts(desired=1, failed=1))
    driven.scale(0)
    driven.wait(desired=0)


@pytest.mark.parametrize("drive", ["s6"], indirect=True)
def test_a_change_by_hand_is_seen(drive):
    driven = drive()
    driven.scale(1)
    driven.wait(desired=1, running=1)
    second = driven.manager.plugin().connect(TYPES, None)
    for before, target in ((1, 2), (2, 1)):
        second.observe()
        second.scale((Change("web", before, target, "by hand"),))
        driven.wait(desired=target, running=target)
    second.close(Event())


def test_a_process_manager_that_is_killed_holds_every_type(drive):
    driven = drive()
    driven.scale(2)
    driven.wait(desired=2, running=2)
    driven.manager.kill()
    formation = driven.formation()
    assert formation.types == {}
    assert any(words in formation.errors["web"] for words in ("runsv not running", "unsupervised", "refused connection", "no such file"))
    assert driven.scale(3) == f"nothing was sent: {formation.errors['web']}"
    driven.manager.start()
    driven.eventually(lambda: driven.formation().types.keys() == {"web", "worker"})
    driven.scale(1)
    driven.wait(desired=1, running=1)
