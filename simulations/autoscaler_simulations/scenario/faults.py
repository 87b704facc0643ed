"""Turn the faults of a scenario into what plants, metrics and backends do."""

from __future__ import annotations

from collections.abc import Sequence

from autoscaler_simulations.engine.experiment import BackendOutage
from autoscaler_simulations.engine.measures import LateMetric, MetricOutage
from autoscaler_simulations.plant.life import FailingStarts, LostHost, SlowStarts, Span
from autoscaler_simulations.scenario.scenario import TypeFaults
from autoscaler_simulations.scenario.schema import FaultSection, SpanSection


def metric_faults(sections: Sequence[FaultSection]) -> tuple[MetricOutage | LateMetric, ...]:
    """Return the faults of metrics."""
    away = [one for section in sections if (one := section.metric_outage)]
    late = [slow for section in sections if (slow := section.late_metric)]
    return (
        *(MetricOutage(metric=one.metric, span=_span(one)) for one in away),
        *(LateMetric(metric=one.metric, span=_span(one), delay_seconds=one.delay_seconds) for one in late),
    )


def outages(sections: Sequence[FaultSection]) -> tuple[BackendOutage, ...]:
    """Return when which backend is away."""
    return tuple(BackendOutage(backend=one.backend, span=_span(one)) for section in sections if (one := section.backend_outage))


def type_faults(sections: Sequence[FaultSection]) -> dict[str, TypeFaults]:
    """Return the faults of processes, by process type."""
    names = {one.process_type for section in sections for one in (section.failed_starts, section.lost_host, section.slow_backend) if one is not None}
    return {name: _faults_of(name, sections) for name in sorted(names)}


def _faults_of(name: str, sections: Sequence[FaultSection]) -> TypeFaults:
    failing = [one for section in sections if (one := section.failed_starts) and one.process_type == name]
    lost = [host for section in sections if (host := section.lost_host) and host.process_type == name]
    slow = [backend for section in sections if (backend := section.slow_backend) and backend.process_type == name]
    return TypeFaults(
        failing=tuple(FailingStarts(span=_span(one), share=one.share, lives_seconds=one.lives_seconds) for one in failing),
        lost=tuple(LostHost(span=_span(one), share=one.share) for one in lost),
        slow=tuple(SlowStarts(span=_span(one), delay_seconds=one.delay_seconds) for one in slow),
    )


def _span(section: SpanSection) -> Span:
    return Span(at_seconds=section.at_seconds, for_seconds=section.for_seconds)
