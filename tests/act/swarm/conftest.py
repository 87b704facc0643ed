"""Real swarms as fixtures; nothing of them is left after the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

import pytest

from autoscaler.act.backend import Backend
from autoscaler.act.swarm import Swarm
from autoscaler.model import Change, Counts, Formation, ProcessType, TypeFormation
from tests.swarm_nodes import SwarmOfNodes, connect_swarm, one_node, two_nodes  # noqa: F401 - fixtures


@dataclass
class Services:
    """A backend of Docker Swarm and all that it told so far."""

    plugin: Swarm
    eventually: Callable[..., object]
    backend: Backend | None = None
    happenings: list[str] = field(default_factory=list)

    def connect(self, *names: str, **fields) -> Services:
        types = tuple(ProcessType(name=name, **{"minimum": 0, "maximum": 300, **fields}) for name in names or ("web",))
        self.backend = self.plugin.connect(types, self.backend)
        return self

    def scale(self, **targets: int) -> list[str | None]:
        return [outcome.error for outcome in self.backend.scale(tuple(Change(name, 0, target, "test") for name, target in targets.items()))]

    def observe(self) -> Formation:
        formation = self.backend.observe()
        self.happenings += formation.happenings
        return formation

    def see(self, name: str = "web") -> TypeFormation | None:
        return self.observe().types.get(name)

    def counts(self, name: str = "web") -> Counts | None:
        seen = self.see(name)
        return seen.counts if seen else None

    def trouble(self, name: str = "web") -> str | None:
        return self.observe().errors.get(name)

    def wait(self, condition: Callable[[TypeFormation], object], name: str = "web", seconds: float = 20.0) -> TypeFormation:
        return self.eventually(lambda: (seen := self.see(name)) and condition(seen) and seen, seconds)

    def wait_counts(self, counts: Counts, name: str = "web", seconds: float = 20.0) -> None:
        self.eventually(lambda: self.counts(name) == counts, seconds)

    def close(self) -> None:
        if self.backend is not None:
            self.backend.close(Event())


@contextmanager
def services_of(swarm: SwarmOfNodes, eventually: Callable[..., object], **keys) -> Iterator[Services]:
    """Connect nothing yet; close whatever was connected."""
    made = Services(Swarm(**{"address": swarm.manager.address, **keys}), eventually)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def services(one_node: SwarmOfNodes, eventually: Callable[..., object]) -> Iterator[Services]:  # noqa: F811 - pytest finds it by name
    """A backend of the swarm of one node, not connected yet."""
    with services_of(one_node, eventually) as made:
        yield made
