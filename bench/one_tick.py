"""Measure one tick of a controller with many process types, without polls, logs and a record."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from autoscaler.act.dry_run import DryRun
from autoscaler.clock import VirtualClock
from autoscaler.decide.settings import NamedPolicy, TypeSettings
from autoscaler.loop import Controller, connect_backends
from autoscaler.model import ProcessType, Reading
from autoscaler.observe.metric import MetricSettings
from autoscaler.observe.source import Poll
from autoscaler.settings import Settings
from autoscaler_policies.backlog import Backlog
from autoscaler_policies.target import Target
from table import Table

SIZES = (10, 1_000, 10_000)
TICKS = 7
GOAL_MICROSECONDS = 100


@dataclass(frozen=True, slots=True)
class _Fixed:
    """A source that holds its value in memory."""

    value: float

    def read(self, poll: Poll) -> Reading:
        """Answer at once."""
        return poll.reading(self.value)


def measure() -> Table:
    """Time ticks of a settled formation: median of several, after the first ones that scale."""
    rows = []
    for types in SIZES:
        seconds = _tick_seconds(types)
        rows.append((f"{types:,}", f"{seconds * 1e3:.2f} ms", f"{seconds / types * 1e6:.0f} us"))
    return Table(
        f"One tick, two metrics and two policies a type, dry_run (goal {GOAL_MICROSECONDS} us a type)", ("types", "a tick", "a type"), tuple(rows)
    )


def _tick_seconds(types: int) -> float:
    clock = VirtualClock()
    settings = _settings(types)
    controller = Controller(settings, connect_backends(settings, {}), clock=clock, pauses=lambda _: {}, listeners=[])
    controller.poll_all()
    return statistics.median([_timed(controller, clock) for _ in range(TICKS)][2:])


def _timed(controller: Controller, clock: VirtualClock) -> float:
    clock.advance(5.0)
    began = time.perf_counter()
    controller.tick()
    return time.perf_counter() - began


def _settings(types: int) -> Settings:
    names = [f"type{number}" for number in range(types)]
    metrics = [(f"{name}_{kind}", value) for name in names for kind, value in (("waiting", 40.0), ("requests", 120.0))]
    return Settings(
        path=None,
        interval_seconds=5.0,
        backends={"default": DryRun()},
        types=tuple(_type(name) for name in names),
        metrics=tuple(MetricSettings(name=name, source=_Fixed(value), every_seconds=5.0, max_age_seconds=1e9) for name, value in metrics),
    )


def _type(name: str) -> TypeSettings:
    policies = (
        NamedPolicy("backlog", Backlog(waiting=f"{name}_waiting", job_takes_seconds=0.4)),
        NamedPolicy("target", Target(metric=f"{name}_requests", per_process=50.0)),
    )
    return TypeSettings(process_type=ProcessType(name=name, minimum=1, maximum=20), policies=policies)
