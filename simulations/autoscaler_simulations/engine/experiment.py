"""What is simulated: a configuration, the load and the life of every process type, and what goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from autoscaler.settings import Settings
from autoscaler_simulations.distribution import Distribution
from autoscaler_simulations.engine.measures import LateMetric, Measure, MetricOutage
from autoscaler_simulations.load.trace import JobList, RateCurve, Trace
from autoscaler_simulations.plant.life import Life, Span
from autoscaler_simulations.score.objective import Objective

Fidelity = Literal["requests", "flow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendOutage:
    """Within a span a backend neither shows nor changes anything."""

    backend: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Workload:
    """What one process type has to do, and how its processes live."""

    trace: Trace
    service: Distribution | None  # None: every job of the trace has its own
    life: Life
    objective: Objective
    spread: Literal["poisson", "even"] = "poisson"  # how arrivals fall within an interval of the trace
    fano: float = 1.0  # variance over mean of the arrivals in an interval
    limit: int | None = None  # places in the queue; None: everybody may wait
    running: int | None = None  # ready at the beginning; None: the minimum

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing ever arrives."""
        return isinstance(self.trace, RateCurve) and not self.trace.rates.any()

    @property
    def work_seconds(self) -> float:
        """Return how long one slot would work on all that arrives, in the mean."""
        if isinstance(self.trace, JobList):
            return float(self.trace.services.sum()) if self.service is None else self.service.mean * len(self.trace.arrivals)
        return self.service.mean * self.trace.interval_seconds * float(self.trace.rates.sum()) if self.service else 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Experiment:
    """One scenario, ready to run."""

    name: str
    settings: Settings
    workloads: Mapping[str, Workload]  # by process type
    measures: Mapping[str, Measure]  # by metric
    length_seconds: float
    fidelity: Fidelity = "requests"
    begins: float = 0.0  # wall seconds since the epoch
    metric_faults: tuple[MetricOutage | LateMetric, ...] = ()
    outages: tuple[BackendOutage, ...] = field(default=())
