"""Run real runit, supervisor and s6 for tests, each in a folder of its own, without root."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from autoscaler.act.backend import Backend
from autoscaler.act.command import Command
from autoscaler.config.loading import load_text
from autoscaler.model import ProcessType
from autoscaler.settings import Settings
from tests.local_formation import list_marked

_EXAMPLES = Path(__file__).resolve().parent.parent / "examples/command"
TYPES = tuple(ProcessType(name=name, minimum=0, maximum=20, interval_seconds=30.0) for name in ("web", "worker"))
SLEEPER = "exec sleep 60"
CRASHER = "exit 1"
STUBBORN = "trap 'until [ -e FOLDER/enough ]; do sleep 0.05; done; exit 0' TERM; sleep 60 & wait"  # drains until there is that file


def load_example(name: str, places: dict[str, str]) -> Settings:
    """Load a configuration of the examples, with other files and programs in it than its own."""
    text = (_EXAMPLES / name).read_text()
    for place, other in places.items():
        assert place in text
        text = text.replace(place, other)
    return load_text(text, name, {})


class Manager:
    """A process manager with three processes of each type, none of which runs at first."""

    programs: tuple[str, ...]
    example: str

    def __init__(self, marker: str, names: tuple[str, ...] = ("web", "worker"), *, ready_after: int = 1) -> None:
        """Set it up; where it is time that makes a process ready, it has to run for ``ready_after`` seconds."""
        # The path of a Unix socket has 108 bytes at most, so pytest's folders are too deep.
        self.folder = Path(tempfile.mkdtemp(prefix="fa-", dir="/tmp"))
        self.count = 3
        self.ready_after = ready_after
        self._marker = marker
        self._process: subprocess.Popen[bytes] | None = None
        for name in names:
            self.define(name, SLEEPER)

    def define(self, name: str, script: str) -> None:
        """Write how the processes of a type run; FOLDER stands for the folder of the process manager."""
        self.write(name, script.replace("FOLDER", str(self.folder)))

    def write(self, name: str, script: str) -> None:
        raise NotImplementedError

    def start(self) -> None:
        """Start the process manager without waiting for it."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)

    def command(self) -> list[str]:
        raise NotImplementedError

    def places(self) -> dict[str, str]:
        """Return what stands in place of what the example says."""
        raise NotImplementedError

    def plugin(self) -> Command:
        """Return the backend of the example."""
        made = load_example(self.example, self.places()).backends["default"]
        return replace(made, ready_after_seconds=float(min(self.ready_after, made.ready_after_seconds)))

    def pids(self) -> list[int]:
        """Return the processes that run `sleep`, which is what every process comes to."""
        return [int(line.split()[0]) for line in list_marked(self._marker) if "sleep" in line.split(" ", 1)[1]]

    def kill(self) -> None:
        """Kill the process manager with all that it runs, at once."""
        for _ in range(100):
            found = list_marked(self._marker)
            if not found:
                break
            for line in found:
                with suppress(ProcessLookupError):
                    os.kill(int(line.split()[0]), signal.SIGKILL)
        if self._process is not None:
            self._process.wait(20)
            self._process = None

    def discard(self) -> None:
        """Remove it with all that it left."""
        self.kill()
        shutil.rmtree(self.folder)


class _Folders(Manager):
    """What runit and s6 share: a folder a process."""

    def write(self, name: str, script: str) -> None:
        for number in range(1, self.count + 1):
            folder = self.folder / f"services/{name}.{number}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "down").touch()
            self.write_run(folder, script)

    def write_run(self, folder: Path, script: str) -> None:
        # Put in place whole: the process manager may be about to run it.
        (folder / "run.new").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "run.new").chmod(0o755)
        (folder / "run.new").rename(folder / "run")


class Runit(_Folders):
    """Runit, of which a process is ready when it has run for a while."""

    programs = ("runsvdir", "sv")
    example = "runit.yaml"

    def places(self) -> dict[str, str]:
        return {"/etc/service": f"{self.folder}/services"}

    def command(self) -> list[str]:
        services = self.folder / "services"
        os.utime(services, (0, 0))  # it waits for a second to pass after a change of the folder
        return ["runsvdir", str(services)]


class S6(_Folders):
    """The s6 suite, which is told by a process that it is ready."""

    programs = ("s6-svscan", "s6-svc", "s6-svstat")
    example = "s6.yaml"

    def places(self) -> dict[str, str]:
        return {"/run/service": f"{self.folder}/services"}

    def write_run(self, folder: Path, script: str) -> None:
        (folder / "notification-fd").write_text("3\n")
        super().write_run(folder, script if script == CRASHER else f"echo >&3; exec 3>&-\n{script}")

    def command(self) -> list[str]:
        return ["s6-svscan", f"{self.folder}/services"]


class Supervisor(Manager):
    """Supervisor, which takes a process for running after a while."""

    programs = ("supervisord", "supervisorctl")
    example = "supervisor.yaml"

    def write(self, name: str, script: str) -> None:
        path = self.folder / "scripts" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{script}\n")
        self._configure([each.name for each in sorted(path.parent.iterdir())])

    def command(self) -> list[str]:
        return ["supervisord", "-c", f"{self.folder}/supervisord.conf"]

    def places(self) -> dict[str, str]:
        configuration = f"-c {self.folder}/supervisord.conf"
        return {
            "/usr/local/bin/supervisor-tell": f"{_EXAMPLES}/supervisor-tell {configuration}",
            "supervisorctl status": f"supervisorctl {configuration} status",
        }

    def _configure(self, names: list[str]) -> None:
        sections = [
            "[supervisord]\nnodaemon = true\nlogfile = %(here)s/supervisord.log\npidfile = %(here)s/pid\nchildlogdir = %(here)s\n",
            "[unix_http_server]\nfile = %(here)s/socket\n[supervisorctl]\nserverurl = unix://%(here)s/socket\n",
            "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n",
            *(
                f"[program:{name}]\ncommand = sh %(here)s/scripts/{name}\nprocess_name = %(program_name)s.%(process_num)d\n"
                f"numprocs = {self.count}\nnumprocs_start = 1\nautostart = false\nstartsecs = {self.ready_after}\nstartretries = 50\n"
                for name in names
            ),
        ]
        (self.folder / "supervisord.conf").write_text("\n".join(sections))


MANAGERS = {"runit": Runit, "s6": S6, "supervisor": Supervisor}


@pytest.fixture
def make_manager(marker: str, require_program: Callable[[str], str]) -> Iterator[Callable[..., Manager]]:
    """Return how to set up a process manager, which is gone when the test ends."""
    made: list[Manager] = []

    def make(name: str, **fields: object) -> Manager:
        for program in MANAGERS[name].programs:
            require_program(program)
        made.append(MANAGERS[name](marker, **fields))
        return made[-1]

    yield make
    for manager in made:
        manager.discard()


@pytest.fixture
def connect_command(make_manager: Callable[..., Manager], eventually: Callable[..., object]) -> Callable[[], Backend]:
    """Return how to connect a web and a job type to a real runit."""
    manager = make_manager("runit", names=("web", "job"), ready_after=0)
    plugin = manager.plugin()
    types = tuple(ProcessType(name=name, minimum=0, maximum=20) for name in ("web", "job"))
    manager.start()
    eventually(lambda: len(list((manager.folder / "services").glob("*/supervise/status"))) == 6)
    return lambda: plugin.connect(types, None)
