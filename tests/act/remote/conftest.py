"""Give the tests of this folder an engine in memory, which can be made slow, dead or wrong."""

import threading
from collections.abc import Callable, Iterator, Mapping
from threading import Event

import pytest

from autoscaler.act.remote.engine import DONE, Order, Sighting, Verdict
from autoscaler.act.remote.live import LiveEngine
from autoscaler.model import AutoscalerError, Change, Counts
from tests.local_formation import process_type


class MemoryEngine:
    """Runs at once what it is told; notes every call."""

    def __init__(self, *names: str) -> None:
        self.desired = dict.fromkeys(names, 0)
        self.calls: list[str] = []
        self.looks_are: Callable[[], Mapping[str, Sighting | str]] = self.see
        self.verdicts: dict[str, Verdict] = {}
        self.gate = Event()  # cleared: calls hang
        self.gate.set()
        self.failure: Exception | None = None

    def see(self) -> Mapping[str, Sighting | str]:
        return {name: Sighting(counts=Counts(desired=count, running=count)) for name, count in self.desired.items()}

    def look(self) -> Mapping[str, Sighting | str]:
        self.calls.append("look")
        self._pass()
        return self.looks_are()

    def scale(self, orders: tuple[Order, ...]) -> Mapping[str, Verdict]:
        self.calls += [f"{order.name} {order.seen.counts.desired} -> {order.change.target}" for order in orders]
        self._pass()
        verdicts = {order.name: self.verdicts.get(order.name, DONE) for order in orders}
        self.desired |= {order.name: order.change.target for order in orders if verdicts[order.name] == DONE}
        return verdicts

    def close(self) -> None:
        self.calls.append("close")

    def writes(self) -> list[str]:
        return [call for call in self.calls if "->" in call]

    def _pass(self) -> None:
        if not self.gate.wait(20):
            raise AutoscalerError("the test left the gate closed")
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def engine() -> MemoryEngine:
    return MemoryEngine("web", "worker")


@pytest.fixture
def connect(engine: MemoryEngine) -> Iterator[Callable[..., LiveEngine]]:
    """Connect to the engine; types decide every ``interval_seconds``."""
    made: list[LiveEngine] = []
    threads = threading.active_count()

    def make(**keys: object) -> LiveEngine:
        keys = {"interval_seconds": 2.0, **keys}
        made.append(LiveEngine(engine, (process_type("web", **keys), process_type("worker", **keys))))
        return made[-1]

    yield make
    engine.gate.set()
    for backend in made:
        backend.close(Event())
    assert threading.active_count() <= threads + 1


def scale(backend: LiveEngine, **targets: int) -> list[str | None]:
    return [outcome.error for outcome in backend.scale(tuple(Change(name, 0, target, "") for name, target in targets.items()))]
