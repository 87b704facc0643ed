"""Make the workload of one process type: its load, or another in its place, and how its processes live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from autoscaler.decide.settings import TypeSettings
from autoscaler_simulations.distribution import Distribution
from autoscaler_simulations.durations import Deterministic, Empirical
from autoscaler_simulations.engine.experiment import Workload
from autoscaler_simulations.load.errors import TraceError
from autoscaler_simulations.load.placing import Spread
from autoscaler_simulations.load.rescale import busy_processes, rescale
from autoscaler_simulations.load.trace import JobList, RateCurve, Trace
from autoscaler_simulations.plant.life import Life
from autoscaler_simulations.scenario.errors import ScenarioError
from autoscaler_simulations.scenario.load_parts import Parts
from autoscaler_simulations.scenario.one_of import given, keys_of
from autoscaler_simulations.scenario.scenario import TypeFaults
from autoscaler_simulations.scenario.schema import DurationSection, ObjectiveSection, ProcessSection
from autoscaler_simulations.score.objective import Objective

_STARTUP_SECONDS = 5.0  # where neither scenario nor configuration say one
_OBJECTIVE = Objective("wait", 1.0)


@dataclass(frozen=True, slots=True)
class Asked:
    """The load of a process type, and how long one slot works on each request; ``None``: every job has its own work."""

    trace: Trace
    service: Distribution | None
    spread: Spread
    fano: float = 1.0


def idle(one: TypeSettings, length_seconds: float) -> Workload:
    """Make the workload of a type that nothing is said of: nothing arrives."""
    nothing = RateCurve(length_seconds, np.zeros(1))
    return Workload(trace=nothing, service=Deterministic(mean_seconds=1.0), life=Life(startup=_startup(one, None)), objective=_OBJECTIVE)


def own_load(process: ProcessSection, parts: Parts, slots: int, length_seconds: float) -> Asked:
    """Put the load of the file together, scaled to its peak.

    Raises ``TraceError`` for parts that do not go together, ``ScenarioError`` for a service that is missing or a ``fano`` without effect.
    """
    trace, service = parts.load(length_seconds), _distribution(process.service)
    if isinstance(trace, RateCurve) and service is None:
        raise ScenarioError("service: missing; counts say nothing of the work of a request: add one, such as `service: {exponential: {mean: 200ms}}`")
    if process.peak is not None:
        trace = rescale(trace, process.peak, slots, service.mean if service else 1.0)
    spread = process.spread or parts.spread
    if process.fano > 1.0 and (spread == "even" or isinstance(trace, JobList) or trace.are_counts):
        raise ScenarioError("fano: has no effect on arrivals that are recorded or evenly spread; leave it out")
    return Asked(trace, service, spread, process.fano)


def in_place_of(own: Asked, trace: Trace, slots: int, spread: Spread) -> Asked:
    """Put another trace in the place of a load, scaled to keep as many processes busy at its peak.

    Jobs bring their work along; counts have that of the load. A trace without a request stays as it is. Raises ``TraceError`` for a load
    without one.
    """
    peak = busy_processes(own.trace, slots, own.service.mean if own.service else 1.0)
    if peak <= 0:
        raise TraceError("the load of the scenario has no request, so that there is no peak to scale the trace to; give it one")
    if isinstance(trace, JobList):
        return Asked(_to_peak(trace, peak, slots, 1.0), None, spread)
    service = own.service or Empirical.of(cast("JobList", own.trace).services)
    scaled = _to_peak(trace, peak, slots, service.mean)
    has_effect = spread == "poisson" and not (isinstance(scaled, RateCurve) and scaled.are_counts)
    return Asked(scaled, service, spread, own.fano if has_effect else 1.0)


def _to_peak(trace: Trace, peak: float, slots: int, mean_seconds: float) -> Trace:
    return trace if busy_processes(trace, slots, mean_seconds) <= 0 else rescale(trace, peak, slots, mean_seconds)


def workload_of(one: TypeSettings, process: ProcessSection, asked: Asked, faults: TypeFaults) -> Workload:
    """Join a load with how processes live and fail."""
    return Workload(
        trace=asked.trace,
        service=asked.service,
        life=_life(one, process, faults),
        objective=_objective(process.objective),
        spread=asked.spread,
        fano=asked.fano,
        limit=process.queue_limit,
        running=process.running,
    )


def _life(one: TypeSettings, process: ProcessSection, faults: TypeFaults) -> Life:
    return Life(
        startup=_startup(one, process.startup),
        lifetime=_distribution(process.lifetime),
        returns_work=process.returns_work,
        failing=faults.failing,
        lost=faults.lost,
        slow=faults.slow,
    )


def _startup(one: TypeSettings, section: DurationSection | None) -> Distribution:
    configured = one.process_type.startup_seconds
    return _distribution(section) or Deterministic(mean_seconds=_STARTUP_SECONDS if configured is None else configured)


def _distribution(section: DurationSection | None) -> Distribution | None:
    return None if section is None else cast("Distribution", given(section, keys_of(DurationSection))[1])


def _objective(section: ObjectiveSection | None) -> Objective:
    if section is None:
        return _OBJECTIVE
    if section.wait_seconds is not None:
        return Objective("wait", section.wait_seconds, section.share)
    return Objective("response", section.response_seconds or 0.0, section.share)
