"""Give the tests of this folder a made-up cluster, and engines that ask it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from autoscaler.act.kubernetes.engine import KubernetesEngine
from autoscaler.act.remote.engine import Order, Sighting, Verdict
from autoscaler.model import Change, ProcessType
from tests.kubernetes_api import KubernetesApi, Reach, cluster, cluster_certificates, cluster_reach  # noqa: F401 - fixtures


@dataclass
class Hand:
    """An engine for some types, as a test holds it."""

    cluster: KubernetesApi
    engine: KubernetesEngine
    passed: list[float]

    def look(self, name: str = "web") -> Sighting:
        found = self.engine.look()[name]
        assert isinstance(found, Sighting), found
        return found

    def trouble(self, name: str = "web") -> str:
        found = self.engine.look()[name]
        assert isinstance(found, str), found
        return found

    def scale(self, target: int, seen: Sighting | None = None, name: str = "web", **loads: float) -> Verdict:
        seen = seen or self.look(name)
        return self.engine.scale((Order(Change(name, seen.counts.desired, target, "a test", loads), seen),))[name]

    def wait(self, seconds: float) -> None:
        """Let time pass for what the engine remembers."""
        self.passed[0] += seconds


@pytest.fixture
def hold(cluster_reach: Reach) -> Iterator[Callable[..., Hand]]:  # noqa: F811 - pytest finds it by name
    """Make an engine for types by name, ``web`` if none is named, by the plug-in's options."""
    made: list[Hand] = []

    def make(*names: str, proves_rights: bool = False, **options) -> Hand:
        passed = [0.0]
        types = tuple(ProcessType(name=name, minimum=0, maximum=100) for name in names or ("web",))
        engine = cluster_reach.plugin(**options)._engine(types, proves_rights=proves_rights, now=lambda: passed[0])
        hand = Hand(cluster_reach.cluster, engine, passed)
        made.append(hand)
        return hand

    yield make
    for each in made:
        each.engine.close()


@pytest.fixture
def hand(hold: Callable[..., Hand]) -> Hand:
    """An engine for the type web."""
    return hold()
