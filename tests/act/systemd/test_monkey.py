"""A random walk over a real systemd: whatever happens, the backend comes to rest with what really runs."""

from __future__ import annotations

import logging
import os
import random
import re
import signal
from contextlib import suppress
from threading import Event

import pytest

from autoscaler.act.backend import BackendError
from autoscaler.model import Counts
from tests.bus_relay import BusRelay
from tests.systemd_formation import SLEEPER, unit_type

pytestmark = pytest.mark.server

_LOG = logging.getLogger(__name__)  # pytest shows it when the test has failed
_SEED = int(os.environ.get("MONKEY_SEED", "5"))
_STEPS = int(os.environ.get("MONKEY_STEPS", "60"))
_TEMPLATE = f"[Unit]\nStartLimitIntervalSec=0\n{SLEEPER}"
_MOST_PROCESSES = 8
_WEIGHTS = {"scale": 8, "stop": 4, "start": 4, "restart": 2, "kill": 3, "mask": 2, "unmask": 2, "cut": 1, "load_anew": 2, "reconnect": 1, "reload": 2}
_BY_OPERATORS = ("stop", "start", "restart", "kill")
_MOST_NAMES_IN_A_NOTE = 5


class Walk:
    """Does one random thing after the other, and knows what must be true when all has come to rest."""

    def __init__(self, units, machine, relay, seed):
        self.units, self.machine, self.relay, self.random = units, machine, relay, random.Random(seed)
        self.types = ("web",)
        self.desired = {}  # where it is known what the backend must make of all that happened
        self.left_alone = set()  # units that an operator stopped and nobody may start
        self.news = set()  # units that operators started or stopped, which the backend may not have heard of
        self.masked = set()
        self.is_quiet = True  # the backend has nothing under way, so that what an operator does next has one meaning

    def go(self):
        self.do(self.random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0])
        if self.random.random() < 0.5:
            self.rest()

    def do(self, what):
        _LOG.warning(what)
        getattr(self, what)()

    def rest(self):
        """Wait until nothing is under way and all is as it must be."""
        told = []

        def is_at_rest():
            found = self.differences()
            if found != told:
                told[:] = found
                _LOG.warning("not at rest: %s", found)
            return not found

        self.units.eventually(is_at_rest, 15, pause=0.03)
        self.desired = {name: self.units.counts(name).desired for name in self.types}
        self.is_quiet = True
        self.news.clear()

    def differences(self):
        """Say what is not as it must be."""
        try:
            formation = self.units.observe()
        except BackendError as error:
            return [str(error)]
        if set(formation.types) != set(self.types):
            return [f"types {sorted(formation.types)}"]
        return [difference for name in self.types for difference in self._differences_of(name, formation.types[name])]

    def _differences_of(self, name, seen):
        active = self.active(name)
        desired = self.desired.get(name, len(active))
        if seen.counts != Counts(desired=desired, running=desired):
            yield f"{name}: {seen.counts}, desired {desired}"
        if sorted(f"app-{process.name.replace('.', '@')}.service" for process in seen.processes) != active:
            yield f"{name}: {[process.name for process in seen.processes]} and systemd runs {active}"
        if touched := self.left_alone.intersection(active):
            yield f"{touched} were started, and an operator stopped them"
        for note in seen.notes:
            if not self._is_true(name, note, seen, active):
                yield f"note: {note}"

    def _is_true(self, name, note, seen, active):
        if "stopped by somebody else" in note:
            named = {f"app-{name}@{number}.service" for number in re.findall(rf"{name}\.(\d+)", note)}
            expected = {unit for unit in self.left_alone if unit.startswith(f"app-{name}@")}
            return not named.intersection(active) and (len(named) >= _MOST_NAMES_IN_A_NOTE or named >= expected)
        if "masked" in note:
            return {unit for unit in self.masked if unit.startswith(f"app-{name}@")} == set(re.findall(r"app-\S+\.service", note))
        return seen.is_crash_looping if "crash looping" in note else "somebody else changes its units too" in note

    def active(self, name="*"):
        return self.machine.active(f"app-{name}@*")

    def scale(self):
        name, target = self.random.choice(self.types), self.random.randint(0, _MOST_PROCESSES)
        _LOG.warning("  %s to %d", name, target)
        self.is_quiet = False
        try:
            (refusal,) = self.units.try_scale(**{name: target})
        except BackendError:  # systemd executes itself anew
            return
        if refusal is not None:
            assert "somebody else changes its units too" in refusal
            self.reconnect()
        elif self.news:  # whether they are known before or after, only the end tells
            self.left_alone -= self.news
            self.desired.pop(name, None)
        else:
            self.desired[name] = target

    def stop(self):
        if unit := self._choose(self._stoppable()):
            self.machine.systemctl("stop", unit)
            self._shift(unit, -1)
            if self.is_quiet:
                self.left_alone.add(unit)

    def start(self):
        name, active = self.random.choice(self.types), set(self.active())
        others = [f"app-{name}@{number}.service" for number in range(1, _MOST_PROCESSES + 3)]
        if unit := self._choose([other for other in others if other not in active | self.masked]):
            self.left_alone.discard(unit)
            self.machine.systemctl("start", unit, check=False)
            self._shift(unit, 1)

    def restart(self):
        if unit := self._choose(self._stoppable()):
            self.machine.systemctl("restart", unit, check=False)
            self._shift(unit, 0)

    def kill(self):
        if (unit := self._choose(self.active())) and (pid := self.machine.main_pid(unit)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def mask(self):
        if unit := self._choose([f"app-web@{number}.service" for number in range(1, _MOST_PROCESSES + 1)]):
            self.masked.add(unit)
            self.machine.systemctl("mask", unit)

    def unmask(self):
        if unit := self._choose(sorted(self.masked)):
            self.masked.discard(unit)
            self.machine.systemctl("unmask", unit)

    def load_anew(self):
        self.machine.systemctl(self.random.choice(("daemon-reload", "daemon-reexec")))

    def cut(self):
        self.relay.cut()
        for what in self.random.choices(_BY_OPERATORS, k=self.random.randint(0, 2)):
            self.do(what)
        self.units.eventually(self.is_away)
        self.relay.mend()
        self.units.eventually(lambda: not self.is_away())

    def is_away(self):
        try:
            self.units.observe()
        except BackendError:
            return True
        return False

    def reconnect(self):
        self.units.backend.close(Event())
        self._forget(self.types)
        self._connect()

    def reload(self):
        gone = set(self.types)
        self.types = ("web", "job") if self.types == ("web",) else ("web",)
        self._forget(gone.symmetric_difference(self.types))
        self._connect()

    def _connect(self):
        def connect():
            with suppress(BackendError):  # systemd executes itself anew
                return self.units.connect(*map(unit_type, self.types))

        self.units.eventually(connect)

    def _forget(self, types):
        """Take in that the backend forgets what it knew of some types."""
        self.is_quiet = False
        for name in types:
            self.desired.pop(name, None)
            self.left_alone = {unit for unit in self.left_alone if not unit.startswith(f"app-{name}@")}

    def _stoppable(self):
        """Return the units that run: one that is masked does not come back when it has ended."""
        return [unit for name in self.types for unit in self.active(name) if unit not in self.masked]

    def _choose(self, units):
        unit = self.random.choice(units) if units else None
        _LOG.warning("  %s", unit)
        return unit

    def _shift(self, unit, by):
        """Take in that an operator started or stopped a unit; what that means while the backend acts itself, only its end tells."""
        name = unit.removeprefix("app-").partition("@")[0]
        self.news.add(unit)
        if self.is_quiet and name in self.desired:
            self.desired[name] += by
        else:
            self.desired.pop(name, None)


@pytest.fixture
def relay(units, user_manager, monkeypatch):
    """Have the backend reach the bus through a relay that can be cut."""
    made = BusRelay(user_manager.folder / "run/bus")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(made.folder))
    yield made
    units.close()
    made.discard()


def test_a_random_walk_always_comes_to_rest_with_what_systemd_runs(units, user_manager, relay):
    for name in ("web", "job"):
        user_manager.write(f"app-{name}@.service", _TEMPLATE)
    units.connect()
    walk = Walk(units, user_manager, relay, _SEED)

    walk.rest()
    for _ in range(_STEPS):
        walk.go()
    walk.rest()
