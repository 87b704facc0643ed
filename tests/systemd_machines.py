"""Real systemd for tests: a user's manager, and hosts with a systemd of their own, of which nothing is left afterwards."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_PROGRAMS = (
    "/usr/lib/systemd/systemd",
    "dbus-daemon",
    "busctl",
    "unshare",
    "nsenter",
    "ip",
    "sshd",
    "ssh",
    "ssh-keygen",
    "/usr/lib/polkit-1/polkitd",
)
_NEEDED = "needs root, cgroups and the packages systemd, dbus-user-session, iproute2, openssh-client, openssh-server and polkitd"
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_CGROUPS = next((each for each in map(Path, ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")) if (each / "cgroup.procs").exists()), None)
_NUMBERS = itertools.count()

# Waits for the end of its input, which is closed also when the tests are killed, and removes all that a machine was.
_KEEPER = """
trap '' INT TERM HUP
cat > /dev/null
for link in $4; do ip link delete "$link" 2> /dev/null; done
echo 1 > "$1/cgroup.kill"
for _ in $(seq 500); do
    find "$1" -depth -type d -exec rmdir {} + 2> /dev/null
    [ -d "$1" ] || break
    sleep 0.02
done
rm -rf --one-file-system "$2" /tmp/systemd-private-"$3"* /var/tmp/systemd-private-"$3"*
"""

_USER_MANAGER = """
mount --bind "$FOLDER/booted" /run/systemd
mount --bind "$FOLDER/boot_id" /proc/sys/kernel/random/boot_id
echo $$ > "$CGROUP/cgroup.procs"
unset FOLDER CGROUP
exec /usr/lib/systemd/systemd --user
"""


def missing() -> str | None:
    """Say why no machine can be made here, in one line; None: it can."""
    program = next((each for each in _PROGRAMS if shutil.which(each, path=_PATH) is None), None)
    if os.geteuid() == 0 and _CGROUPS is not None and program is None and not subprocess.call(["unshare", "--mount", "--pid", "--fork", "true"]):
        return None
    return f"{_NEEDED}{f' ({program} is not there)' if program else ''}; enable with: make test-servers, as root"


def run(*command: str | Path, check: bool = True, environment: dict[str, str] | None = None) -> str:
    """Run a command to its end and return what it printed; fail with its complaint."""
    variables = {"PATH": _PATH, "LANG": "C.UTF-8", **(environment or {})}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables, timeout=60)
    assert not check or done.returncode == 0, f"{' '.join(map(str, command))}: {done.stderr or done.stdout}"
    return done.stdout


def wait(condition: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    """Wait until a condition holds; fail when it does not within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} within {seconds:g} s"
        time.sleep(0.01)


class Machine:
    """One systemd, with its unit files, its bus and its cgroup. It starts switched off."""

    units: Path
    bus_address: str
    environment: dict[str, str]

    def __init__(self, name: str) -> None:
        self.name = name
        # The path of a Unix socket has 108 bytes at most, so pytest's folders are too deep.
        self.folder = Path(tempfile.mkdtemp(prefix="fa-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.cgroup = _CGROUPS / f"fa-{os.getpid()}-{next(_NUMBERS)}-{name}"
        self.cgroup.mkdir()
        self._boots = 0
        self._boot_id = str(uuid.uuid4())[:28]
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper = self._keep()

    def write(self, unit: str, text: str, *, reload: bool = True) -> None:
        """Write a unit file, or a drop-in such as web@.service.d/more.conf, and have it read."""
        path = self.units / unit
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if reload:
            self.systemctl("daemon-reload")

    def systemctl(self, *arguments: str, check: bool = True) -> str:
        """Run the real systemctl against this machine and return what it printed."""
        return run(*self._systemctl(), "--no-pager", *arguments, check=check, environment=self.environment)

    def properties(self, unit: str, *names: str) -> dict[str, str]:
        """Return properties of a unit, as systemctl shows them."""
        lines = self.systemctl("show", *(f"--property={name}" for name in names), "--", unit).splitlines()
        return dict(line.split("=", 1) for line in lines)

    def state(self, unit: str) -> tuple[str, str]:
        """Return ActiveState and SubState."""
        properties = self.properties(unit, "ActiveState", "SubState")
        return properties["ActiveState"], properties["SubState"]

    def active(self, glob: str) -> list[str]:
        """Return the names of the active units of a pattern."""
        lines = self.systemctl("list-units", "--all", "--plain", "--no-legend", "--state=active", "--", glob).splitlines()
        return sorted(line.split()[0] for line in lines)

    def main_pid(self, unit: str) -> int:
        """Return the number that a unit's main process has for the tests; 0: it has none."""
        return self._outer_pid(int(self.properties(unit, "MainPID")["MainPID"]))

    def power_on(self) -> None:
        """Start systemd without waiting for it, with the unit files that are there and the same address."""
        shutil.rmtree(self.folder / "run", ignore_errors=True)
        (self.folder / "run").mkdir(mode=0o755)
        self._boots += 1
        (self.folder / "boot_id").write_text(f"{self._boot_id}{self._boots:08x}\n")
        with (self.folder / "systemd.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), env=self._variables(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def wait_up(self) -> None:
        """Wait until every unit of the start is up and the bus answers."""
        wait(lambda: self._has_ended() or self._is_up(), f"{self.name} is not up")
        assert not self._has_ended(), f"{self.name} did not start: {(self.folder / 'systemd.log').read_text()[-500:]}"

    def power_off(self) -> None:
        """Kill everything on the machine at once, without a goodbye."""
        (self.cgroup / "cgroup.kill").write_text("1")
        if self._process is not None:
            self._process.wait(20)
        wait(lambda: "populated 0" in (self.cgroup / "cgroup.events").read_text(), f"{self.name} is not dead")
        for path in sorted((each for each in self.cgroup.rglob("*") if each.is_dir()), reverse=True):
            path.rmdir()
        self._process = None

    def freeze(self) -> None:
        """Stop every process of the machine where it stands; nothing answers any more, and no connection breaks."""
        (self.cgroup / "cgroup.freeze").write_text("1")
        wait(lambda: "frozen 1" in (self.cgroup / "cgroup.events").read_text(), f"{self.name} is not frozen")

    def thaw(self) -> None:
        """Let a frozen machine go on."""
        (self.cgroup / "cgroup.freeze").write_text("0")

    def discard(self) -> None:
        """Remove the machine with all that it left."""
        self._keeper.stdin.close()
        self._keeper.wait(60)
        if self._process is not None:
            self._process.wait(20)

    def _keep(self) -> subprocess.Popen[bytes]:
        arguments = (self.cgroup, self.folder, self._boot_id.replace("-", ""), " ".join(self._links()))
        return subprocess.Popen(["sh", "-c", _KEEPER, "keeper", *arguments], stdin=subprocess.PIPE, start_new_session=True)

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _is_up(self) -> bool:
        owner = ("call", "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner", "s", "org.freedesktop.systemd1")
        if not Path(self.bus_address.removeprefix("unix:path=")).exists():
            return False
        is_active = self.systemctl("is-active", "default.target", check=False).strip() == "active"
        return is_active and run("busctl", f"--address={self.bus_address}", *owner, check=False).strip() == "b true"

    def _links(self) -> tuple[str, ...]:
        return ()

    def _outer_pid(self, pid: int) -> int:
        return pid

    def _systemctl(self) -> tuple[str, ...]:
        raise NotImplementedError

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _variables(self) -> dict[str, str]:
        raise NotImplementedError


_DEFAULT_TARGET = "[Unit]\nRequires=basic.target\nWants=dbus.service\nAfter=basic.target dbus.service\nAllowIsolate=yes\n"
_USER_UNITS = """
    basic.target sockets.target paths.target timers.target shutdown.target exit.target systemd-exit.service
    app.slice session.slice background.slice dbus.socket dbus.service
"""


class UserManager(Machine):
    """A real ``systemd --user`` with its bus. It keeps no journal: units that print write to a file."""

    def __init__(self, name: str = "user") -> None:
        super().__init__(name)
        self._home = self.folder / "home"
        self.units = self._home / ".config/systemd/user"
        self.units.mkdir(parents=True)
        self._base = self.folder / "base"
        copy_units(Path("/usr/lib/systemd/user"), self._base, _USER_UNITS)
        (self._base / "default.target").write_text(_DEFAULT_TARGET)
        (self.folder / "booted/system").mkdir(parents=True)
        self.bus_address = f"unix:path={self.folder}/run/bus"
        self.environment = {"XDG_RUNTIME_DIR": f"{self.folder}/run"}

    def _systemctl(self) -> tuple[str, ...]:
        # From inside, where systemd counts as booted: otherwise systemctl would enable units by itself.
        enter = () if self._has_ended() else ("nsenter", f"--target={self._process.pid}", "--mount")
        return (*enter, "env", f"HOME={self._home}", "systemctl", "--user")

    def _command(self) -> list[str]:
        return ["unshare", "--mount", "--propagation", "private", "sh", "-euc", _USER_MANAGER]

    def _variables(self) -> dict[str, str]:
        runtime = self.folder / "run"
        runtime.chmod(0o700)
        around = (f"{self.units}.control", f"{runtime}/systemd/user.control", f"{runtime}/systemd/transient")
        return {
            "PATH": _PATH,
            "LANG": "C.UTF-8",
            "HOME": str(self._home),
            "XDG_RUNTIME_DIR": str(runtime),
            "SYSTEMD_UNIT_PATH": ":".join([*around, str(self.units), f"{runtime}/systemd/user", str(self._base)]),
            "SYSTEMD_LOG_TARGET": "console",
            "FOLDER": str(self.folder),
            "CGROUP": str(self.cgroup),
        }


def copy_units(source: Path, target: Path, names: str) -> None:
    """Copy unit files of the installed packages, those that are there."""
    target.mkdir()
    for name in names.split():
        if (source / name).exists():
            shutil.copy(source / name, target / name)


@contextmanager
def switched_on(*machines: Machine) -> Iterator[None]:
    """Switch machines on, wait for them, and remove them at the end."""
    try:
        for machine in machines:
            machine.power_on()
        for machine in machines:
            machine.wait_up()
        yield
    finally:
        for machine in machines:
            machine.discard()


@pytest.fixture(scope="session")
def machines() -> None:
    if reason := missing():
        pytest.skip(reason)


@pytest.fixture
def user_manager(machines: None) -> Iterator[Machine]:  # noqa: ARG001 - it skips
    """A ``systemd --user`` of this test alone."""
    machine = UserManager()
    with switched_on(machine):
        yield machine
