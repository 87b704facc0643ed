"""A scenario file as checked values; nothing of it is loaded or drawn yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from autoscaler.settings import Settings
from autoscaler_simulations.engine.experiment import BackendOutage
from autoscaler_simulations.engine.measures import LateMetric, Measure, MetricOutage
from autoscaler_simulations.plant.life import FailingStarts, LostHost, SlowStarts, Span
from autoscaler_simulations.scenario.expectation import Expectation
from autoscaler_simulations.scenario.schema import ProcessSection


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeFaults:
    """What goes wrong with the processes of one type."""

    failing: tuple[FailingStarts, ...] = ()
    lost: tuple[LostHost, ...] = ()
    slow: tuple[SlowStarts, ...] = ()

    @property
    def spans(self) -> list[Span]:
        """Return when something goes wrong."""
        return [*(one.span for one in self.failing), *(one.span for one in self.lost), *(one.span for one in self.slow)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A named experiment."""

    name: str
    path: Path
    about: str
    settings: Settings
    processes: Mapping[str, ProcessSection]
    measures: Mapping[str, Measure]
    length_seconds: float | None
    fidelity: Literal["auto", "requests", "flow"]
    seed: int
    begins: float  # wall seconds since the epoch
    faults: Mapping[str, TypeFaults] = field(default_factory=dict)  # by process type
    metric_faults: tuple[MetricOutage | LateMetric, ...] = ()
    outages: tuple[BackendOutage, ...] = ()
    expectations: tuple[Expectation, ...] = ()

    def faults_after(self, length_seconds: float) -> int:
        """Count the faults that begin after the end of a simulation of this length."""
        of_types = [span for one in self.faults.values() for span in one.spans]
        spans = [*(one.span for one in self.metric_faults), *(one.span for one in self.outages), *of_types]
        return sum(span.at_seconds >= length_seconds for span in spans)
