"""Run a small local formation in a test: tell it counts, wait for what it shows, and prove that nothing of it is left."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest

from autoscaler.act.backend import Backend
from autoscaler.act.local import Local
from autoscaler.model import Change, Counts, Formation, ProcessType, TypeFormation

_TEST_MARKER = "AUTOSCALER_TEST_MARKER"


def process_type(name: str = "web", command: str = "exec sleep 60", **fields) -> ProcessType:
    """Return a type that starts fast and is given little time to stop."""
    quick = {"minimum": 0, "maximum": 20, "startup_seconds": 0.05, "stop_timeout_seconds": 0.3}
    return ProcessType(name=name, command=command, **{**quick, **fields})


@dataclass
class Stage:
    """One local formation and what it told so far."""

    folder: Path
    port: int
    eventually: Callable[..., object]
    output: Path
    backend: Backend | None = None
    happenings: list[str] = field(default_factory=list)

    @property
    def plugin(self) -> Local:
        return Local(procfile=str(self.folder / "Procfile"), port=self.port, metrics_port=20000)

    def connect(self, *types: ProcessType, previous: Backend | None = None) -> Backend:
        self.backend = self.plugin.connect(types, previous)
        return self.backend

    def scale(self, **targets: int) -> None:
        outcomes = self.backend.scale(tuple(Change(name, 0, target, "test") for name, target in targets.items()))
        assert [outcome.error for outcome in outcomes] == [None] * len(targets)

    def run(self, command: str, count: int = 1, **fields) -> None:
        """Connect one type ``web`` and ask for some of it."""
        self.connect(process_type(command=command, **fields))
        self.scale(web=count)

    def observe(self) -> Formation:
        formation = self.backend.observe()
        self.happenings += formation.happenings
        return formation

    def see(self, name: str = "web") -> TypeFormation:
        return self.observe().types[name]

    def counts(self, name: str = "web") -> Counts:
        return self.see(name).counts

    def names(self, name: str = "web") -> list[str]:
        return [process.name for process in self.see(name).processes]

    def wait(self, condition: Callable[[TypeFormation], object], name: str = "web") -> None:
        self.eventually(lambda: condition(self.see(name)))

    def wait_running(self, count: int, name: str = "web") -> None:
        self.wait(lambda seen: seen.counts.running == count, name)

    def wait_told(self, text: str) -> str:
        """Wait for a happening that holds the text, and return it."""

        def find() -> str | None:
            self.observe()
            return next((sentence for sentence in self.happenings if text in sentence), None)

        return self.eventually(find)

    def wait_file(self, name: str) -> str:
        """Wait for a file of the formation's folder to hold a whole line, and return all it holds."""
        path = self.folder / name
        self.eventually(lambda: path.exists() and path.read_text().endswith("\n"))
        return path.read_text()

    def wait_printed(self, text: str) -> None:
        self.eventually(lambda: text in self.printed())

    def printed(self) -> str:
        return self.output.read_bytes().decode(errors="replace")

    def close(self, *, hurry: bool = False) -> None:
        at_once = Event()
        if hurry:
            at_once.set()
        if self.backend is not None:
            self.backend.close(at_once)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def count_descriptors() -> int:
    """Return how many descriptors this program has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def list_marked(marker: str) -> list[str]:
    """Return the command lines of the processes whose environment holds the marker."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if marker.encode() in (process / "environ").read_bytes():
                found.append(f"{process.name} {(process / 'cmdline').read_bytes()!r}")
        except OSError:
            continue
    return found


@pytest.fixture
def marker(monkeypatch) -> str:
    """Mark every process that this test starts."""
    mark = uuid.uuid4().hex
    monkeypatch.setenv(_TEST_MARKER, mark)
    return mark


@pytest.fixture(autouse=True)
def no_child_outlives_its_test(marker) -> Iterator[None]:
    """Fail a test that leaves a process behind."""
    yield
    assert list_marked(marker) == []


@pytest.fixture
def stage(no_child_outlives_its_test, tmp_path, free_port, eventually, monkeypatch) -> Iterator[Stage]:  # noqa: ARG001 - ends after the stage is closed
    """Set up a formation in a folder of its own whose output goes to a file."""
    output = tmp_path / "output"
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    monkeypatch.setattr(Local, "output", descriptor)
    made = Stage(tmp_path, free_port, eventually, output)
    yield made
    made.close(hurry=True)
    os.close(descriptor)
