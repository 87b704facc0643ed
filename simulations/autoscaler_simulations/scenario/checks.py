"""Check what the parts of a scenario say of each other, and of the configuration under test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from autoscaler.config.part import Part
from autoscaler.config.places import KeyPath
from autoscaler.config.wording import names, seconds, suggest
from autoscaler.settings import Settings
from autoscaler_simulations.scenario.moment import read_time
from autoscaler_simulations.scenario.one_of import given, keys_of
from autoscaler_simulations.scenario.schema import MEASURES, FaultSection, ProcessSection, ScenarioSection

_FAULTS = keys_of(FaultSection)
_TYPE, _METRIC, _BACKEND = "process type", "metric", "backend"


def check_scenario(section: ScenarioSection, settings: Settings | None, part: Part) -> None:
    """Report every mistake that concerns more than one key. Without settings, what needs them is not checked."""
    _check_begins(section, part)
    _check_processes(section, part)
    _check_length(section, part)
    if settings is not None:
        _check_names(settings, part)
        _check_measured(settings, part)


def _check_begins(section: ScenarioSection, part: Part) -> None:
    try:
        read_time(section.begins)
    except ValueError as error:
        part.report.at_value(("begins",), str(error))


def _check_processes(section: ScenarioSection, part: Part) -> None:
    if not section.processes and not part.under("processes").data and not part.report.is_wrong(("processes",)):
        part.report.missing(("processes",), "missing; say of at least one process type what arrives, such as `processes: {web: {load: [...]}}`")
    for name, process in (section.processes or {}).items():
        path = ("processes", name)
        if not process.load and not part.report.is_wrong((*path, "load")):
            part.report.missing((*path, "load"), "missing; say what arrives, such as `load: [{poisson: {rate: 20}}]`")
        if process.service is None and not _may_hold_jobs(process) and not part.report.is_wrong((*path, "service")):
            part.report.missing((*path, "service"), "missing; say how long a request takes, such as `service: {exponential: {mean: 200ms}}`")


def _may_hold_jobs(process: ProcessSection) -> bool:
    return any(load.recorded is not None for load in process.load or ())


def _check_length(section: ScenarioSection, part: Part) -> None:
    """Ask for a length where no load has one, and for faults that begin before the end."""
    length = section.length_seconds
    for index, fault in enumerate(section.faults or ()):
        kind, span = given(fault, _FAULTS)
        at = getattr(span, "at_seconds", 0.0)
        if length is not None and at >= length:
            said = f"{seconds(at)} is not before the end of the simulation; begin earlier, or make length: {seconds(length)} longer"
            part.report.at_value(("faults", index, kind, "at"), said)
    if length is None and section.processes and not any(map(_is_recorded, section.processes.values())) and not part.report.is_wrong(("length",)):
        part.report.missing(("length",), "missing; say how long the simulation lasts, such as `length: 1d`: no load is a recorded one")


def _is_recorded(process: ProcessSection) -> bool:
    return any(load.recorded is not None or load.prometheus is not None for load in process.load or ())


@dataclass(frozen=True, slots=True)
class _Reference:
    """Something of the configuration that the scenario names, as a key or as a value."""

    path: KeyPath
    kind: str
    name: str
    is_key: bool = False


def _check_names(settings: Settings, part: Part) -> None:
    """Look every name up; they are taken from the file as it stands, so that other mistakes hide none."""
    known = {_TYPE: tuple(one.name for one in settings.types), _METRIC: _metrics(settings), _BACKEND: tuple(settings.backends)}
    for named in _references(part):
        if named.name not in known[named.kind]:
            report = part.report.at_key if named.is_key else part.report.at_value
            # A letter of another alphabet that looks the same is shown by its number.
            report(named.path, f"the configuration has no {named.kind} {named.name!a}; {suggest(named.name, known[named.kind])}")


def _metrics(settings: Settings) -> tuple[str, ...]:
    return tuple(metric.name for metric in settings.metrics)


def _references(part: Part) -> Iterator[_Reference]:
    for key, kind in (("processes", _TYPE), ("metrics", _METRIC), ("expect", _TYPE)):
        yield from (_Reference((key, name), kind, name, is_key=True) for name in _mapping(part.under(key).data))
    for name, measure in _mapping(part.under("metrics").data).items():
        said = _mapping(measure)
        yield from (_Reference(("metrics", name, kind), _TYPE, one) for kind in MEASURES if isinstance(one := said.get(kind), str))
    faults = part.under("faults").data
    for index, fault in enumerate(faults if isinstance(faults, list) else ()):
        for kind in _FAULTS:
            yield from _of_fault(("faults", index, kind), _mapping(_mapping(fault).get(kind)))


def _of_fault(path: KeyPath, said: Mapping[str, object]) -> Iterator[_Reference]:
    named = {**said, "backend": said.get("backend", "default")} if path[-1] == "backend_outage" and said else said
    for key, kind in (("process_type", _TYPE), ("metric", _METRIC), ("backend", _BACKEND)):
        if isinstance(name := named.get(key), str):
            yield _Reference((*path, key), kind, name)


def _mapping(data: object) -> Mapping[str, object]:
    return data if isinstance(data, dict) else {}


def _check_measured(settings: Settings, part: Part) -> None:
    """Each metric that a policy reads must measure something."""
    said, report = part.under("metrics").data, part.report
    if report.is_wrong(("metrics",)):
        return
    users = {metric: one.name for one in settings.types for metric in one.metrics}
    for name in sorted(users.keys() - _mapping(said).keys()):
        example = f"`{name}: {{arrival_rate: {users[name]}, window: 1m}}`"
        report.missing(("metrics", name), f"missing; say which of {names(MEASURES)} it is, such as {example}")
