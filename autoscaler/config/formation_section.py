"""Read ``formation:`` into the settings of each process type."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from autoscaler.config.backends_section import Backends
from autoscaler.config.overlay import overlay
from autoscaler.config.part import Part
from autoscaler.config.policies_section import read_policies
from autoscaler.config.reading import read_section
from autoscaler.config.schedule_section import check_bounds, check_schedule, make_schedule
from autoscaler.config.schema import DefaultsSection, DirectionSection, TypeSection
from autoscaler.config.type_checks import check_type
from autoscaler.config.wording import unlike
from autoscaler.decide.settings import SCALE_IN, SCALE_OUT, DirectionLimits, Pause, TypeSettings
from autoscaler.model import ProcessType

_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Ground:
    """What holds for every process type of a file."""

    interval_seconds: float
    defaults: DefaultsSection
    backends: Backends


def read_types(part: Part, ground: Ground) -> tuple[TypeSettings, ...]:
    """Make the settings of every process type; mistakes go to the report, and a type without a maximum is left out."""
    if not isinstance(part.data, dict) or not part.data:
        said = "missing; name at least one process type under `formation:`, such as `web: {maximum: 4}`"
        report = part.report.missing if part.data is None else part.report.at_value
        report(part.path, said if not part.data else unlike(part.data, "a mapping", "a name for each process type, with its keys below it"))
        return ()
    types = (_type(str(name), part.at(name, data), ground) for name, data in part.data.items())
    return tuple(settings for settings in types if settings is not None)


def _type(name: str, part: Part, ground: Ground) -> TypeSettings | None:
    if not _NAME.fullmatch(name):
        part.report.at_key(part.path, f"{name!r} is no name of a process type; use letters, digits, _ and - only")
    own = read_section(TypeSection, part)
    section = overlay(own, ground.defaults)
    section = _as_singleton(section, own)
    check_type(section, own, part)
    check_schedule(own.schedule, part.under("schedule"))
    check_bounds(section, own, part)
    policies = read_policies(part.at("policies", own.policies))
    backend = ground.backends.choose(section.backend, part)
    if section.maximum is None:
        return None
    return TypeSettings(
        process_type=_process_type(name, section, section.maximum, ground.interval_seconds),
        policies=policies,
        combine=section.combine or "max",
        scale_out=_limits(section.scale_out, SCALE_OUT),
        scale_in=_limits(section.scale_in, SCALE_IN),
        pause=_pause(section),
        backend=backend,
        schedule=make_schedule(section.schedule),
        futility=section.futility or "warn",
        priority=section.priority or 0,
        weight=section.weight or 1.0,
    )


def _as_singleton(section: TypeSection, own: TypeSection) -> TypeSection:
    """Give a singleton the only limits it can have, where it does not say its own."""
    if not section.singleton:
        return section
    minimum = section.minimum if section.minimum is None or own.minimum is not None else min(1, section.minimum)
    return replace(section, minimum=minimum, maximum=1 if own.maximum is None else own.maximum)


def _process_type(name: str, section: TypeSection, maximum: int, interval_seconds: float) -> ProcessType:
    socket = section.socket or "none"
    return ProcessType(
        name=name,
        minimum=1 if section.minimum is None else section.minimum,
        maximum=maximum,
        slots=section.slots or 1,
        interval_seconds=interval_seconds,
        startup_seconds=section.startup_seconds,
        stop_timeout_seconds=10.0 if section.stop_timeout_seconds is None else section.stop_timeout_seconds,
        command=section.command,
        socket=socket,
        listen=section.listen,
        ready=section.ready or ("port" if socket == "port" else "lived"),
        environment=dict(section.environment or {}),
        memory_bytes=section.memory_bytes,
        is_singleton=bool(section.singleton),
    )


def _limits(section: DirectionSection | None, built_in: DirectionLimits) -> DirectionLimits:
    said = overlay(section or DirectionSection(), built_in)
    return DirectionLimits(
        said.stabilization_seconds or 0.0,
        said.cooldown_seconds or 0.0,
        built_in.at_most if said.at_most is None else said.at_most,
        said.select or built_in.select,
        getattr(said, "when", None) or built_in.when,
    )


def _pause(section: TypeSection) -> Pause:
    both, out, inward = (section.pause, section.pause_scale_out, section.pause_scale_in)
    reasons = dict.fromkeys(said for said in (both, out, inward) if isinstance(said, str) and said)
    return Pause(bool(both or out), bool(both or inward), "; ".join(reasons))
