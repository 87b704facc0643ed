"""Refuse process types that could never leave zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from autoscaler.act.backend import BackendPlugin
from autoscaler.config.metrics_section import Metric
from autoscaler.config.part import Part
from autoscaler.config.plugin_parts import ask
from autoscaler.config.wording import names
from autoscaler.decide.policy import LeavesZero
from autoscaler.decide.settings import NamedPolicy, TypeSettings

_BLIND = "no policy tells whether the processes are in use: they go when the window of scale-in ends, even in the middle of traffic; add a policy"


def check_zero(settings: TypeSettings, metrics: Mapping[str, Metric], backend: BackendPlugin | None, part: Part) -> None:
    """Report ``minimum: 0`` where nothing can ask for a first process: no window, no connection, and no policy as they are combined."""
    if settings.process_type.minimum > 0 or not set(settings.metrics) <= metrics.keys() or has_broken_policies(settings, part):
        return
    if _opens_a_window(settings):
        return
    if _starts_on_connection(settings, backend, part):
        if not settings.policies:
            part.report.warn((*part.path, "minimum"), _BLIND)
        return
    exist = {name for name in settings.metrics if _lives_without(metrics[name], settings.name)}
    if settings.scale_out.select != "disabled" and _policies_wake(settings, exist, part):
        return
    is_said = isinstance(part.data, dict) and "minimum" in part.data
    (part.report.at_value if is_said else part.report.at_key)((*part.path, "minimum"), f"0 has no way back: {_why(settings, exist)}")


def has_broken_policies(settings: TypeSettings, part: Part) -> bool:
    """Tell whether a policy of the type could not be read, so that what is lacking may be in it."""
    written = part.under("policies").data
    return isinstance(written, list | tuple) and len(written) > len(settings.policies)


def _opens_a_window(settings: TypeSettings) -> bool:
    windows = settings.schedule.windows if settings.schedule else ()
    return any((window.minimum or window.processes or 0) > 0 for window in windows)


def _starts_on_connection(settings: TypeSettings, backend: BackendPlugin | None, part: Part) -> bool:
    question = getattr(backend, "starts_on_connection", None)
    return question is not None and ask(part, lambda: bool(question(settings.process_type)), otherwise=True)


def _lives_without(metric: Metric, process_type: str) -> bool:
    return metric.exists_at_zero or (metric.process_type is not None and metric.process_type != process_type)


def _policies_wake(settings: TypeSettings, exist: set[str], part: Part) -> bool:
    wake = [_wakes(named, exist, part) for named in settings.policies]
    if settings.combine == "min":
        return bool(wake) and all(wake)
    return wake[0] if settings.combine == "first" and wake else any(wake)


def _wakes(named: NamedPolicy, exist: set[str], part: Part) -> bool:
    """Tell whether a policy can want a first process: by its own word, else when all its metrics have values."""
    if named.when_missing.do in {"processes", "at_least"} and named.when_missing.processes > 0 and not exist.issuperset(named.metrics):
        return True
    if callable(getattr(named.policy, "leaves_zero", None)):
        return ask(part, lambda: cast(LeavesZero, named.policy).leaves_zero(exist), otherwise=True)
    return exist.issuperset(named.metrics)


def _why(settings: TypeSettings, exist: set[str]) -> str:
    missing = [name for name in settings.metrics if name not in exist]
    if settings.scale_out.select == "disabled":
        return "scale_out is disabled; write 1, or enable it"
    if not settings.policies:
        return "nothing ever asks for a process; write 1, or add a policy with a metric, or a window of a schedule"
    if missing:
        return f"{names(missing)} comes from the processes themselves, and none would run; write 1, or add a metric that exists at zero"
    return "its policies never ask for a first process; write 1, or add a policy with a metric that exists at zero"
