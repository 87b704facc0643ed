"""Check process types, metrics and backends against each other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from autoscaler.config.addresses import is_loopback
from autoscaler.config.backends_section import Backends
from autoscaler.config.idle import check_idle
from autoscaler.config.metrics_section import Metric
from autoscaler.config.part import Part
from autoscaler.config.plugin_parts import ask
from autoscaler.config.schema import FileSection
from autoscaler.config.substitution import Substituted, hide
from autoscaler.config.wording import suggest
from autoscaler.config.zero import check_zero
from autoscaler.decide.settings import TypeSettings
from autoscaler.model import Address

_PASSWORD = re.compile(r"://[^/@\s:]*:[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class Whole:
    """Everything of a file that could be read."""

    section: FileSection
    backends: Backends
    metrics: tuple[Metric, ...]
    types: tuple[TypeSettings, ...]
    type_names: tuple[str, ...]  # also of those that could not be read


def check_whole(whole: Whole, part: Part) -> None:
    """Report what does not fit together; ``part`` is the whole file."""
    formation = part.under("formation")
    _check_passwords(part.data, (), part)
    _check_listen(whole.section, part)
    _check_addresses(whole, formation)
    _check_metrics(whole, part)
    by_name = {metric.settings.name: metric for metric in whole.metrics}
    for settings in whole.types:
        check_zero(settings, by_name, whole.backends.plugins.get(settings.backend), formation.under(settings.name))
        check_idle(settings, by_name, formation.under(settings.name))
    _check_total(whole, part)
    _ask_backends(whole, formation)


def _check_passwords(value: object, path: tuple[str | int, ...], part: Part) -> None:
    """Report every password that stands in an address of the file, where the record would repeat it."""
    if isinstance(value, str) and not isinstance(value, Substituted) and _PASSWORD.search(value):
        part.report.at_value(path, "a password does not belong in the file; write it as ${NAME} and set NAME in the environment")
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        _check_passwords(item, (*path, key), part)


def _check_listen(section: FileSection, part: Part) -> None:
    report, has_tls = part.report, section.listen_certificate is not None and section.listen_key is not None
    for given, lacking in (("listen_certificate", "listen_key"), ("listen_key", "listen_certificate")):
        if getattr(section, given) is not None and getattr(section, lacking) is None and not report.is_wrong((lacking,)):
            report.at_key((given,), f"stands without {lacking}; add it, TLS needs both")
    if section.listen is None or is_loopback(section.listen) or section.listen_token is not None or has_tls:
        return
    if not any(report.is_wrong((key,)) for key in ("listen_token", "listen_certificate", "listen_key")):
        said = f"{part.shown('listen', section.listen)} is not loopback, so that others can reach it"
        report.at_value(("listen",), f"{said}; add listen_token, or listen_certificate and listen_key, or listen on 127.0.0.1")


def _check_addresses(whole: Whole, formation: Part) -> None:
    taken: dict[Address, str] = {whole.section.listen: "the controller itself"} if whole.section.listen else {}
    for settings in whole.types:
        address = settings.process_type.listen
        if address is None or address.port == 0:
            continue
        if address in taken:
            own = formation.under(settings.name)
            own.report.at_value((*own.path, "listen"), f"{own.shown('listen', address)} is taken by {taken[address]}; choose another port")
        taken.setdefault(address, settings.name)


def _check_metrics(whole: Whole, part: Part) -> None:
    used = {metric for settings in whole.types for metric in settings.metrics}
    for metric in whole.metrics:
        name, report = metric.settings.name, part.report
        if name not in used and not _has_mistakes(whole):
            report.warn(("metrics", name), "no policy uses this metric; remove it, or name it in a policy")
        if metric.process_type is not None and metric.process_type not in whole.type_names:
            shown = metric.part.shown("process_type", repr(metric.process_type))
            said = f"{shown} is not in the formation; {suggest(metric.process_type, whole.type_names)}"
            report.at_value((*metric.part.path, "process_type"), said)


def _has_mistakes(whole: Whole) -> bool:
    return len(whole.types) < len(whole.type_names)


def _check_total(whole: Whole, part: Part) -> None:
    """Report a total that the minimums exceed, and what has no effect without one."""
    total, least = whole.section.total, sum(settings.process_type.minimum for settings in whole.types)
    if total is not None and least > total:
        part.report.at_value(("total",), f"{part.shown('total', total)} is below the sum of all minimums {least}; raise it, or lower a minimum")
    if total is None and whole.section.preempt:
        part.report.at_key(("preempt",), "has no effect without total; add total, the most processes of all types together")
    if total is not None:
        _warn_of_total(whole, total, part)
    for settings in whole.types if total is None else ():
        said = [key for key in ("priority", "weight") if isinstance(data := part.under("formation").under(settings.name).data, dict) and key in data]
        if said:
            part.report.warn(("formation", settings.name, said[0]), "has no effect without total; add it, or remove this")


def _lives_without(metric: Metric, process_type: str) -> bool:
    return metric.exists_at_zero or (metric.process_type is not None and metric.process_type != process_type)


def _warn_of_total(whole: Whole, total: int, part: Part) -> None:
    if whole.section.preempt and len({settings.priority for settings in whole.types}) < 2 and not _has_mistakes(whole):  # noqa: PLR2004 - two differ
        part.report.warn(("preempt",), "all types have the same priority, so that none makes room for another; give one a higher priority")
    least = sum(_highest_minimum(settings) for settings in whole.types)
    if least > total and sum(settings.process_type.minimum for settings in whole.types) <= total:
        part.report.warn(("total",), f"{total} is below the sum of all minimums {least} while the windows of the schedules are open")


def _highest_minimum(settings: TypeSettings) -> int:
    windows = settings.schedule.windows if settings.schedule else ()
    said = [window.processes if window.minimum is None else window.minimum for window in windows]
    return max(settings.process_type.minimum, *(number or 0 for number in said), 0)


def _ask_backends(whole: Whole, formation: Part) -> None:
    for name, plugin in whole.backends.plugins.items():
        types = tuple(settings.process_type for settings in whole.types if settings.backend == name)
        question = getattr(plugin, "mistakes", None)
        said: Iterable[tuple[str, str]] = ask(whole.backends.parts[name], lambda: question(types), ()) if question else ()  # noqa: B023 - asked at once
        for process_type, sentence in said:
            formation.report.at_key((*formation.path, process_type), hide(sentence, formation.under(process_type).data))
        if not types and len(whole.backends.parts) > 1 and not _has_mistakes(whole):
            formation.report.warn(("backends", name), "no process type uses this backend; remove it, or name it in a type")
