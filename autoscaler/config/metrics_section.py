"""Read ``metrics:`` into a source and its times for each metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from autoscaler.config.part import Part
from autoscaler.config.plugin_parts import Choice, ask, make, split
from autoscaler.config.plugins import SOURCES
from autoscaler.config.reading import read_section
from autoscaler.config.schema import MetricSection
from autoscaler.config.wording import seconds, unlike
from autoscaler.observe.metric import MetricSettings
from autoscaler.observe.source import HasLiveness, Source

_CHOICE = Choice(SOURCES, "source", MetricSection)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric, and what its source says of the processes behind it."""

    settings: MetricSettings
    part: Part  # of its source
    process_type: str | None  # whose processes are read one by one
    exists_at_zero: bool  # whether it has a value when none of them runs


def metric_names(data: object) -> tuple[str, ...]:
    """List the metrics that the file names, readable or not."""
    return tuple(data) if isinstance(data, dict) else ()


def read_metrics(part: Part) -> tuple[Metric, ...]:
    """Make every metric of the file; those with a mistake are left out, and reported."""
    if part.data is None:
        return ()
    if not isinstance(part.data, dict):
        part.report.at_value(part.path, unlike(part.data, "a mapping", "a name for each metric, with its source below it"))
        return ()
    metrics = (_metric(str(name), part.at(name, data)) for name, data in part.data.items())
    return tuple(metric for metric in metrics if metric is not None)


def _metric(name: str, part: Part) -> Metric | None:
    plugin, beside = split(_CHOICE, part)
    section = read_section(MetricSection, part.holding(beside))
    if plugin is None:
        return None
    source = make(_CHOICE, plugin)
    if source is None:
        return None
    settings = MetricSettings(
        name=name,
        source=cast("Source", source),
        every_seconds=section.every_seconds,
        max_age_seconds=section.max_age_seconds,
        timeout_seconds=section.timeout_seconds,
        window_seconds=section.window_seconds,
        alive=section.alive,
    )
    _check(settings, part, plugin)
    process_type = ask(plugin, lambda: getattr(source, "process_type", None), None)
    return Metric(settings, plugin, process_type, ask(plugin, lambda: bool(getattr(source, "exists_at_zero", True)), otherwise=True))


def _check(settings: MetricSettings, part: Part, plugin: Part) -> None:
    if settings.alive is not None and not isinstance(settings.source, HasLiveness):
        part.report.at_value((*part.path, "alive"), f"{plugin.path[-1]} cannot ask whether an exporter is alive; remove the key")
    if settings.max_age < settings.every_seconds:
        age, every = part.shown("max_age", seconds(settings.max_age)), part.shown("every", seconds(settings.every_seconds))
        part.report.at_value((*part.path, "max_age"), f"{age} is below every {every}, so that each reading would go missing; raise it above {every}")
