"""Drive the systemd backend in a test: tell it counts, and wait for what it shows and for what systemd really runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

from autoscaler.act.backend import Backend
from autoscaler.act.systemd import Systemd
from autoscaler.model import Change, Counts, Formation, ProcessType, TypeFormation
from tests.systemd_machines import Machine

SLEEPER = """
[Service]
ExecStart=/bin/sleep 1000
Restart=always
RestartSec=200ms
TimeoutStopSec=2s
[Install]
WantedBy=default.target
"""


def unit_type(name: str = "web", **fields) -> ProcessType:
    """Return a type whose processes are units."""
    return ProcessType(name=name, **{"minimum": 0, "maximum": 300, **fields})


def use(machine: Machine, monkeypatch) -> None:
    """Have clients of this process find the machine's bus, and no other."""
    for name in ("DBUS_SYSTEM_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in machine.environment.items():
        monkeypatch.setenv(name, value)


@dataclass
class Units:
    """A backend of systemd and all that it told so far."""

    plugin: Systemd
    eventually: Callable[..., object]
    backend: Backend | None = None
    happenings: list[str] = field(default_factory=list)

    def connect(self, *types: ProcessType) -> Units:
        self.backend = self.plugin.connect(types or (unit_type(),), self.backend)
        return self

    def try_scale(self, loads: dict[str, float] | None = None, **targets: int) -> list[str | None]:
        changes = tuple(Change(name, 0, target, "test", loads or {}) for name, target in targets.items())
        return [outcome.error for outcome in self.backend.scale(changes)]

    def scale(self, loads: dict[str, float] | None = None, **targets: int) -> None:
        assert self.try_scale(loads, **targets) == [None] * len(targets)

    def scale_and_wait(self, **targets: int) -> None:
        self.scale(**targets)
        for name, target in targets.items():
            self.wait(lambda seen, target=target: seen.counts == Counts(desired=target, running=target), name)

    def observe(self) -> Formation:
        formation = self.backend.observe()
        self.happenings += formation.happenings
        return formation

    def see(self, name: str = "web") -> TypeFormation:
        return self.observe().types[name]

    def counts(self, name: str = "web") -> Counts:
        return self.see(name).counts

    def names(self, name: str = "web", state: str = "running") -> list[str]:
        return sorted((process.name for process in self.see(name).processes if process.state == state), key=_by_number)

    def wait(self, condition: Callable[[TypeFormation], object], name: str = "web", seconds: float = 20.0) -> None:
        self.eventually(lambda: condition(self.see(name)), seconds)

    def wait_counts(self, name: str = "web", seconds: float = 20.0, **counts: int) -> None:
        self.wait(lambda seen: all(getattr(seen.counts, key) == value for key, value in counts.items()), name, seconds)

    def wait_told(self, text: str, seconds: float = 20.0) -> str:
        """Wait for a happening that holds the text, and return it."""

        def find() -> str | None:
            self.observe()
            return next((sentence for sentence in self.happenings if text in sentence), None)

        return self.eventually(find, seconds)

    def close(self) -> None:
        if self.backend is not None:
            self.backend.close(Event())


@contextmanager
def units_of(eventually: Callable[..., object], **configuration) -> Iterator[Units]:
    """Connect nothing yet; close whatever was connected."""
    made = Units(Systemd(**configuration), eventually)
    try:
        yield made
    finally:
        made.close()


def _by_number(name: str) -> tuple[str, int]:
    number, _, host = re.sub(r"^.*\.", "", name).partition("@")
    return host, int(number)
