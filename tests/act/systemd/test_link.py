"""One systemd is followed, called, lost and found again."""

import os
import signal
import socket
import threading
from collections import Counter
from pathlib import Path

import pytest

from autoscaler.act.event_loop import EventLoop
from autoscaler.act.systemd.link import Link
from autoscaler.act.systemd.reach import Reach
from autoscaler.act.systemd.values import NO_ANSWER, Answer, Unit
from autoscaler.clock import SystemClock

_WEB = "app-web@1.service"
_SLEEPER = "[Service]\nExecStart=/bin/sleep 1000\nRestart=always\nRestartSec=200ms\n[Install]\nWantedBy=default.target\n"
_BROKEN = "[Unit]\nStartLimitBurst=1\n[Service]\nExecStart=/bin/sh -c 'exit 3'\n"


class Watching:
    """Keeps what it is told."""

    def __init__(self):
        self.told = []
        self.inventories = []
        self.units = {}

    def up(self, inventory):
        self.inventories.append(inventory)
        self.units = dict(inventory.units)
        self.told.append(("up",))

    def changed(self, unit):
        self.units[unit.name] = unit
        self.told.append(("changed", unit))

    def job_ended(self, job, unit, result):
        self.told.append(("job_ended", job, unit, result))

    def going_down(self):
        self.told.append(("going_down",))

    def lost(self, cause):
        self.told.append(("lost", cause))

    def memory(self, free_bytes):
        self.told.append(("memory", free_bytes))

    def count(self, what):
        return Counter(each[0] for each in self.told)[what]

    def last(self, what):
        return next((each for each in reversed(self.told) if each[0] == what), None)


class Linked:
    """A link whose loop runs in a thread, as a backend's does."""

    def __init__(self, reach, globs):
        self.trouble = []
        self.loop = EventLoop(SystemClock(), self.trouble.append)
        self.watcher = Watching()
        self.link = Link(self.loop, reach, globs, self.watcher)
        self.answers = {}
        self._thread = threading.Thread(target=self.loop.run, args=(lambda: None,))
        self._thread.start()
        self.loop.call(self.link.open)

    def call(self, *calls):
        """Make calls in one round of the loop: (method, unit)."""
        self.loop.call(lambda: [getattr(self.link, method)(unit, self._keep(method, unit)) for method, unit in calls])

    def end(self):
        self.loop.call(self.link.close)
        self.loop.call(self.loop.stop)
        self._thread.join()
        self.loop.close()
        assert self.trouble == []

    def _keep(self, method, unit):
        return lambda answer: self.answers.setdefault((method, unit), []).append(answer)


@pytest.fixture
def linked():
    made = []

    def make(reach, globs=("app-*.service",)):
        made.append(Linked(reach, globs))
        return made[-1]

    yield make
    for each in made:
        each.end()


@pytest.fixture
def manager(user_manager, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", user_manager.environment["XDG_RUNTIME_DIR"])
    user_manager.write("app-web@.service", _SLEEPER, reload=False)
    user_manager.write("app-bad@.service", _BROKEN)
    return user_manager


@pytest.fixture
def local(manager, linked, eventually):  # noqa: ARG001 - it must be there first
    made = linked(Reach(is_user=True))
    eventually(lambda: made.watcher.count("up"))
    return made


@pytest.fixture
def fake_ssh(tmp_path, monkeypatch):
    """Put a program ``ssh`` first in PATH that runs a script with the command for the host as its last argument."""

    def make(script):
        (tmp_path / "ssh").write_text(f"#!/bin/sh\nfor command; do :; done\n{script}\n")
        (tmp_path / "ssh").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    return make


@pytest.fixture
def fake_bus(tmp_path, monkeypatch):
    """A socket where a bus of the user would be."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with socket.socket(socket.AF_UNIX) as bus:
        bus.bind(str(tmp_path / "bus"))
        bus.listen()
        yield bus


@pytest.mark.server
def test_the_inventory_names_files_and_the_boot(local):
    (inventory,) = local.watcher.inventories

    assert inventory.files == {"app-web@.service": "disabled", "app-bad@.service": "static"}
    assert int(inventory.boot) > 0


@pytest.mark.server
def test_a_unit_is_started_and_stopped(local, eventually):
    local.call(("start", _WEB))
    started = eventually(lambda: local.watcher.last("job_ended"))
    assert local.answers["start", _WEB] == [Answer(started[1])]
    eventually(lambda: local.watcher.units[_WEB] == Unit(_WEB, active_state="active", sub_state="running"))

    local.call(("stop", _WEB))
    eventually(lambda: local.watcher.units[_WEB] == Unit(_WEB))
    eventually(lambda: ("job_ended", local.answers["stop", _WEB][0].job, _WEB, "done") in local.watcher.told)


@pytest.mark.server
def test_many_calls_of_one_round_are_all_answered_once(local, eventually):
    units = [f"app-web@{number}.service" for number in range(1, 31)]
    local.call(*(("start", unit) for unit in units))

    eventually(lambda: local.watcher.count("job_ended") == 30)
    assert [len(local.answers["start", unit]) for unit in units] == [1] * 30


@pytest.mark.server
def test_a_crash_is_known_with_its_result_and_the_restart_counted(local, manager, eventually):
    local.call(("start", _WEB))
    eventually(lambda: local.watcher.count("job_ended"))

    os.kill(manager.main_pid(_WEB), signal.SIGKILL)

    eventually(lambda: local.watcher.units[_WEB] == Unit(_WEB, active_state="active", sub_state="running", restarts=1))
    waiting = Unit(_WEB, active_state="activating", sub_state="auto-restart", result="signal")
    assert ("changed", waiting) in local.watcher.told
    assert not [each for each in local.watcher.told if each[0] == "changed" and each[1].active_state == "failed"]


@pytest.mark.server
def test_a_failed_unit_is_told_and_reset(local, eventually):
    unit = "app-bad@1.service"
    local.call(("start", unit))
    eventually(lambda: local.watcher.units.get(unit) == Unit(unit, active_state="failed", sub_state="failed", result="exit-code"))

    local.call(("reset_failed", unit))
    eventually(lambda: local.watcher.units[unit] == Unit(unit))


@pytest.mark.server
def test_what_failed_before_is_in_the_inventory(manager, linked, eventually):
    unit = "app-bad@1.service"
    manager.systemctl("start", unit)
    eventually(lambda: manager.state(unit) == ("failed", "failed"))

    watcher = linked(Reach(is_user=True)).watcher

    eventually(lambda: watcher.inventories)
    assert watcher.units == {unit: Unit(unit, active_state="failed", sub_state="failed", result="exit-code")}


@pytest.mark.server
def test_refusals_come_by_name(local, eventually):
    local.call(("start", "app-none.service"), ("enable", "app-bad@1.service"), ("enable", _WEB), ("disable", _WEB))

    eventually(lambda: len(local.answers) == 4)
    assert local.answers["start", "app-none.service"][0].error == "org.freedesktop.systemd1.NoSuchUnit"
    assert local.answers["enable", "app-bad@1.service"][0].error == "autoscaler.NoInstall"
    assert local.answers["enable", _WEB] == local.answers["disable", _WEB] == [Answer()]


@pytest.mark.server
def test_the_operators_stop_is_seen_with_its_job(local, manager, eventually):
    manager.write("app-slow.service", "[Service]\nExecStart=/bin/sh -c 'trap \"sleep 1; exit\" TERM; echo; while :; do sleep 0.1; done'\n")
    manager.systemctl("start", "app-slow.service")
    manager.systemctl("stop", "--no-block", "app-slow.service")

    stopping = Unit("app-slow.service", active_state="deactivating", sub_state="stop-sigterm", job="stop")
    eventually(lambda: local.watcher.units.get("app-slow.service") == stopping)


@pytest.mark.server
@pytest.mark.parametrize("command", ["daemon-reload", "daemon-reexec"])
def test_systemd_reads_itself_anew_without_a_loss(local, manager, eventually, command):
    local.call(("start", _WEB))
    eventually(lambda: local.watcher.count("job_ended"))
    before = local.watcher.count("up")

    manager.systemctl(command)
    eventually(lambda: local.watcher.count("up") > before)
    manager.systemctl("start", "app-web@2.service")

    eventually(lambda: local.watcher.units.get("app-web@2.service") == Unit("app-web@2.service", active_state="active", sub_state="running"))
    assert local.watcher.units[_WEB].active_state == "active"
    assert {each.boot for each in local.watcher.inventories} == {local.watcher.inventories[0].boot}
    assert local.watcher.count("lost") == 0
    assert not [each for each in local.watcher.told if each == ("changed", Unit(_WEB))]


@pytest.mark.server
def test_other_globs_bring_another_inventory(local, manager, eventually):
    manager.systemctl("start", _WEB)

    local.loop.call(lambda: local.link.look_for(("none-*.service",)))

    eventually(lambda: local.watcher.inventories[-1].files == {} and local.watcher.units == {})


@pytest.mark.server
def test_a_lost_bus_is_told_once_and_found_again(local, manager, eventually):
    manager.power_off()
    eventually(lambda: local.watcher.count("lost"))
    local.call(("start", _WEB))
    eventually(lambda: local.answers.get(("start", _WEB)))
    assert local.answers["start", _WEB][0].error == NO_ANSWER

    manager.power_on()

    eventually(lambda: local.watcher.count("up") == 2)
    assert local.watcher.count("lost") == 1
    assert local.watcher.inventories[0].boot != local.watcher.inventories[1].boot


@pytest.mark.server
def test_the_end_of_the_manager_is_announced(local, manager, eventually):
    manager.systemctl("exit", check=False)

    eventually(lambda: local.watcher.count("going_down") and local.watcher.count("lost"))


@pytest.mark.server
@pytest.mark.usefixtures("manager")
def test_a_host_is_followed_through_ssh_with_its_memory(fake_ssh, linked, eventually):
    fake_ssh('eval "$command"')
    remote = linked(Reach(host="app1", is_user=True, wants_memory=True))

    eventually(lambda: remote.watcher.count("up") and remote.watcher.count("memory"))
    remote.call(("start", _WEB))

    eventually(lambda: remote.watcher.units.get(_WEB) == Unit(_WEB, active_state="active", sub_state="running"))
    assert remote.watcher.last("memory")[1] > 1_000_000


@pytest.mark.server
def test_a_host_is_followed_over_a_real_ssh(two_hosts, ssh_config, linked, eventually):
    first, _ = two_hosts
    first.write("app-web@.service", _SLEEPER)
    remote, other = (linked(Reach(host=name, ssh_config=str(ssh_config), wants_memory=True)) for name in ("app1", "app2"))
    eventually(lambda: remote.watcher.count("up") and other.watcher.count("up") and remote.watcher.count("memory"))

    remote.call(("start", _WEB))
    eventually(lambda: remote.watcher.units.get(_WEB) == Unit(_WEB, active_state="active", sub_state="running"))
    assert other.watcher.units == {}


@pytest.mark.server
@pytest.mark.usefixtures("two_hosts")
def test_a_host_whose_key_is_not_known_is_refused(ssh_config, linked, eventually, tmp_path):
    (tmp_path / "config").write_text(f"UserKnownHostsFile /dev/null\nGlobalKnownHostsFile /dev/null\n{ssh_config.read_text()}")
    remote = linked(Reach(host="app1", ssh_config=str(tmp_path / "config")))

    eventually(lambda: remote.watcher.told)

    assert remote.watcher.told == [("lost", "the host key of app1 is not in known_hosts; add it with ssh-keyscan after checking it")]


def test_an_ssh_that_fails_is_explained_once(fake_ssh, linked, eventually, tmp_path):
    fake_ssh(f"echo x >> {tmp_path}/tries; echo 'ssh: connect to host app1 port 22: Connection refused' >&2; exit 255")
    remote = linked(Reach(host="app1"))

    eventually(lambda: (tmp_path / "tries").exists() and (tmp_path / "tries").read_text().count("x") >= 3)

    assert remote.watcher.told == [("lost", "app1 refuses the connection; is sshd running there?")]


def test_a_missing_ssh_is_explained(tmp_path, monkeypatch, linked, eventually):
    monkeypatch.setenv("PATH", str(tmp_path))
    watcher = linked(Reach(host="app1")).watcher

    eventually(lambda: watcher.told)

    assert watcher.told == [("lost", "there is no ssh here; install the package openssh-client")]


def test_an_ssh_that_stays_is_ended_with_what_it_started(fake_ssh, linked, eventually, tmp_path):
    fake_ssh(f"sleep 1000 & echo $! > {tmp_path}/child; wait")
    made = linked(Reach(host="app1"))
    eventually(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text())
    child = Path("/proc", (tmp_path / "child").read_text().strip(), "stat")

    made.loop.call(made.link.close)

    eventually(lambda: not child.exists() or child.read_text().rsplit(")", 1)[1].split()[0] == "Z")
    assert made.watcher.told == []


def test_a_missing_bus_is_explained(tmp_path, monkeypatch, linked, eventually):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    watcher = linked(Reach(is_user=True)).watcher

    eventually(lambda: watcher.told)

    assert watcher.told == [("lost", f"there is no bus at {tmp_path}/bus; is the package dbus-user-session installed and running?")]


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "refuses this user: HTTP/1.1 400"),
        (b"REJECTED EXTERNAL\r\n", "refuses this user: REJECTED EXTERNAL"),
        (b"x" * 5000, "sends what is no D-Bus: it begins with"),
        (b"DATA\r\nOK 1234\r\n" + b"x" * 100, "sends what is no D-Bus: what came is no message"),
        (b"DATA\r\nOK 1234\r\n" + b"l" + b"\xff" * 99, "sends what is no D-Bus: a message of"),
        (b"DATA\r\n", "closed the connection"),
    ],
)
def test_a_bus_that_talks_nonsense_is_a_loss(fake_bus, linked, eventually, said, cause):
    made = linked(Reach(is_user=True))
    connection, _ = fake_bus.accept()
    with connection:
        connection.sendall(said)
        if said == b"DATA\r\n":
            connection.shutdown(socket.SHUT_WR)
        eventually(lambda: made.watcher.told)

    assert made.watcher.count("lost") == 1
    assert cause in made.watcher.told[0][1]


def test_calls_before_there_is_a_connection_are_answered(fake_bus, linked, eventually):  # noqa: ARG001 - it never answers
    made = linked(Reach(is_user=True))
    made.call(("start", _WEB))

    eventually(lambda: made.answers)

    assert made.answers["start", _WEB][0].error == NO_ANSWER
