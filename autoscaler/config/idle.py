"""Refuse ``scale_in: {when: idle}`` where nothing tells who works."""

from __future__ import annotations

from collections.abc import Mapping

from autoscaler.config.metrics_section import Metric
from autoscaler.config.part import Part
from autoscaler.config.zero import has_broken_policies
from autoscaler.decide.settings import TypeSettings


def check_idle(settings: TypeSettings, metrics: Mapping[str, Metric], part: Part) -> None:
    """Report a type that should only lose idle processes, and has no metric of each process and no policy with ``busy``."""
    if settings.scale_in.when != "idle" or not set(settings.metrics) <= metrics.keys() or has_broken_policies(settings, part):
        return
    if any(metrics[name].process_type == settings.name for name in settings.metrics):
        return
    if any(isinstance(getattr(named.policy, "busy", None), str) for named in settings.policies):
        return
    said = "idle needs to be told who works: add a policy with busy, or one with a metric of each process (prometheus_text with each_process)"
    part.report.at_key((*part.path, "scale_in"), said)
