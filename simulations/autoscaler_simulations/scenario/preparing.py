"""Make a scenario ready to run: as it is written, or with another load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from autoscaler.decide.settings import TypeSettings
from autoscaler_simulations.engine.experiment import Experiment, Fidelity, Workload
from autoscaler_simulations.load.errors import TraceError
from autoscaler_simulations.load.trace import RateCurve, Trace
from autoscaler_simulations.scenario.errors import ScenarioError
from autoscaler_simulations.scenario.load_parts import Parts, read_parts
from autoscaler_simulations.scenario.scenario import Scenario, TypeFaults
from autoscaler_simulations.scenario.workload import idle, in_place_of, own_load, workload_of

_SERVICES_A_TICK = 8  # flows of services that last longer are neither fast nor exact
_MOST_LONG_REQUESTS = 30_000_000  # half a minute
_MOST_REQUESTS = 3_000_000  # beyond them, flows are computed


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What the caller wants otherwise than the file says."""

    traces: Mapping[str, Trace] = field(default_factory=dict)  # by process type, scaled to the peak of the scenario's own load
    fidelity: Fidelity | None = None


def prepare(scenario: Scenario, changes: Changes) -> Experiment:
    """Read, add up and scale every load; the simulation is as long as the given traces, or else as the file says.

    Raises ``ScenarioError`` naming the key whose load cannot be read or used.
    """
    loads = {name: _parts(scenario, name) for name in scenario.processes}
    own_length = scenario.length_seconds or max(parts.length_seconds for parts in loads.values())
    length = max((trace.length_seconds for trace in changes.traces.values()), default=own_length)
    preparing = _Preparing(scenario, changes, loads, own_length, length)
    workloads = {one.name: preparing.workload(one) for one in scenario.settings.types}
    return Experiment(
        name=scenario.name,
        settings=scenario.settings,
        workloads=workloads,
        measures=scenario.measures,
        length_seconds=length,
        fidelity=_fidelity(scenario, changes, workloads),
        begins=scenario.begins,
        metric_faults=scenario.metric_faults,
        outages=scenario.outages,
    )


def _parts(scenario: Scenario, name: str) -> Parts:
    with _told_of(scenario, name):
        return read_parts(scenario.processes[name].load or ())


@contextmanager
def _told_of(scenario: Scenario, name: str) -> Iterator[None]:
    """Say of which process type an error tells."""
    try:
        yield
    except TraceError as error:
        raise ScenarioError(f"{scenario.path}: processes.{name}.load: {error}") from error
    except ScenarioError as error:
        raise ScenarioError(f"{scenario.path}: processes.{name}.{error}") from error


@dataclass(frozen=True, slots=True)
class _Preparing:
    scenario: Scenario
    changes: Changes
    loads: Mapping[str, Parts]  # by process type
    own_length: float  # as the file says; seconds, as is the other
    length: float

    def workload(self, one: TypeSettings) -> Workload:
        """Make the workload of a type; a load that another takes the place of is as long as the file says, as its peak is."""
        process, trace = self.scenario.processes.get(one.name), self.changes.traces.get(one.name)
        if process is None:
            return idle(one, self.length)
        slots = one.process_type.slots
        with _told_of(self.scenario, one.name):
            asked = own_load(process, self.loads[one.name], slots, self.length if trace is None else self.own_length)
            if trace is not None:
                asked = in_place_of(asked, trace, slots, process.spread or "poisson")
        return workload_of(one, process, asked, self.scenario.faults.get(one.name, TypeFaults()))


def _fidelity(scenario: Scenario, changes: Changes, workloads: Mapping[str, Workload]) -> Fidelity:
    """Choose by the number of requests; jobs that are recorded one by one are always simulated so."""
    curves = [workload.trace for workload in workloads.values() if isinstance(workload.trace, RateCurve)]
    if not curves:
        return "requests"
    if changes.fidelity is not None:
        return changes.fidelity
    if scenario.fidelity != "auto":
        return scenario.fidelity
    number = sum(float(curve.rates.sum()) * curve.interval_seconds for curve in curves)
    longest = max((workload.service.mean for workload in workloads.values() if workload.service is not None and not workload.is_idle), default=0.0)
    is_brief = longest * _SERVICES_A_TICK <= scenario.settings.interval_seconds
    return "flow" if number > (_MOST_REQUESTS if is_brief else _MOST_LONG_REQUESTS) else "requests"
