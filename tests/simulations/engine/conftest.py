"""Small experiments, made of a configuration and a few numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from autoscaler.config.loading import load_text
from autoscaler_simulations.durations import Deterministic, Exponential
from autoscaler_simulations.engine.experiment import Experiment, Workload
from autoscaler_simulations.engine.measures import Measure
from autoscaler_simulations.load.trace import RateCurve
from autoscaler_simulations.plant.life import Life
from autoscaler_simulations.score.objective import Objective
from tests.listening import Listening

CONFIGURATION = """\
interval: 5s
listen: null
backend: {dry_run: {}}
metrics:
  rate: {file: {path: rate}, every: 5s}
formation:
  web: {minimum: 1, maximum: 9, slots: 2, startup: 5s, policies: [{target: {metric: rate, per_process: 5}}]}
"""


class Listener(Listening):
    """Tells when it was told, and of which sizes."""

    def moments(self) -> list[float]:
        return [tick.now for tick in self.ticks]

    def sizes(self, process_type: str = "web") -> list[int]:
        return [tick.formations[process_type].counts.desired for tick in self.ticks]


@pytest.fixture
def listening() -> Listener:
    return Listener()


@pytest.fixture
def make_workload() -> Callable[..., Workload]:
    def make(rates: list[float] | float = 8.0, each_seconds: float = 600.0, **keys: object) -> Workload:
        trace = RateCurve(each_seconds, np.atleast_1d(np.array(rates, float)))
        life = keys.pop("life", Life(startup=Deterministic(mean_seconds=5)))
        return Workload(trace=trace, service=Exponential(mean_seconds=0.2), life=life, objective=Objective("wait", 1.0), **keys)

    return make


@pytest.fixture
def make_experiment(make_workload: Callable[..., Workload]) -> Callable[..., Experiment]:
    """Make an experiment; types without a workload of their own get one of 8 requests a second."""

    def make(configuration: str = CONFIGURATION, workloads: dict[str, Workload] | None = None, **keys: object) -> Experiment:
        settings = load_text(configuration, "autoscaler.yaml", {})
        known = {one.name: (workloads or {}).get(one.name) or make_workload() for one in settings.types}
        measures = {metric.name: Measure(kind="arrival_rate", process_type=settings.types[0].name) for metric in settings.metrics}
        experiment = Experiment(name="test", settings=settings, workloads=known, measures=measures, length_seconds=600.0, begins=1.7e9)
        return replace(experiment, **keys)

    return make
