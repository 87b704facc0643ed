"""Controllers over sources and backends that a test holds in its hand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from autoscaler.clock import VirtualClock
from autoscaler.decide.settings import DirectionLimits, NamedPolicy, TypeSettings
from autoscaler.loop import Controller
from autoscaler.model import Change, Counts, Formation, Json, Metric, Observation, Outcome, ProcessType, Reading, Recommendation, TypeFormation
from autoscaler.observe.metric import MetricSettings
from autoscaler.observe.source import Poll, SourceError
from autoscaler.settings import Settings
from tests.listening import Listening


@dataclass(frozen=True)
class HeldSource:
    """Answers with what stands in its list; hangs, raises or counts as told."""

    answers: list[float | Exception] = field(default_factory=list)
    release: threading.Event | None = None
    polls: list[Poll] = field(default_factory=list, init=False)
    process_type: str | None = None

    def read(self, poll: Poll) -> Reading:
        self.polls.append(poll)
        if self.release is not None:
            self.release.wait(30.0)
        answer = self.answers[min(len(self.polls), len(self.answers)) - 1] if self.answers else SourceError("nothing here")
        if isinstance(answer, Exception):
            raise answer
        return poll.reading(answer)


@dataclass(frozen=True)
class PerJob:
    """Wants one process for each job."""

    metric: Metric = "jobs"

    def recommend(self, observation: Observation, memory: Json) -> Recommendation:
        wanted = int(observation.value(self.metric))
        return Recommendation(wanted, f"{wanted} jobs", (memory or 0) + 1)


class HeldBackend:
    """Does what it is told at once; ``trouble`` is raised instead, per method."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.types = {name: TypeFormation(Counts(size, size)) for name, size in sizes.items()}
        self.happenings: tuple[str, ...] = ()
        self.trouble: dict[str, Exception] = {}
        self.calls: list[tuple[Change, ...]] = []
        self.is_closed = False

    def observe(self) -> Formation:
        if "observe" in self.trouble:
            raise self.trouble["observe"]
        happenings, self.happenings = self.happenings, ()
        return Formation(dict(self.types), happenings)

    def scale(self, changes: tuple[Change, ...]) -> tuple[Outcome, ...]:
        if "scale" in self.trouble:
            raise self.trouble["scale"]
        self.calls.append(changes)
        for change in changes:
            self.types[change.process_type] = TypeFormation(Counts(change.target, change.target))
        return tuple(Outcome(change.process_type) for change in changes)

    def close(self, _hurry: threading.Event) -> None:
        self.is_closed = True


@pytest.fixture
def make_backend() -> type[HeldBackend]:
    return HeldBackend


@pytest.fixture
def make_source() -> type[HeldSource]:
    return HeldSource


@pytest.fixture
def make_listener() -> type[Listening]:
    return Listening


@pytest.fixture
def make_settings() -> Callable[..., Settings]:
    def make(source: object, *names: str, policy: object = None, interval: float = 5.0, metric: str = "jobs", backend: str = "default") -> Settings:
        free = DirectionLimits()
        types = tuple(
            TypeSettings(
                process_type=ProcessType(name=name, minimum=0, maximum=50, interval_seconds=interval),
                policies=(NamedPolicy("per_job", policy or PerJob(metric)),),
                scale_out=free,
                scale_in=free,
                backend=backend,
            )
            for name in names or ("worker",)
        )
        metrics = (MetricSettings(name=metric, source=source, every_seconds=interval),)
        return Settings(path=Path("autoscaler.yaml"), interval_seconds=interval, backends={}, types=types, metrics=metrics)

    return make


@dataclass
class Rig:
    """A controller with all that a test wants to look at."""

    controller: Controller
    backend: HeldBackend
    source: HeldSource
    listener: Listening
    clock: VirtualClock
    pauses: dict[str, object]


@pytest.fixture
def make_rig(make_settings: Callable[..., Settings]) -> Callable[..., Rig]:
    def make(*answers: float | Exception, names: tuple[str, ...] = ("worker",), size: int = 2, **options: object) -> Rig:
        source, backend, listener, clock = HeldSource(list(answers)), HeldBackend(dict.fromkeys(names, size)), Listening(), VirtualClock(1000.0, 1e9)
        pauses: dict[str, object] = {}
        settings = make_settings(source, *names, **options)
        controller = Controller(settings, {"default": backend}, clock=clock, pauses=lambda _at: pauses, listeners=[listener])
        return Rig(controller, backend, source, listener, clock, pauses)

    return make
