"""Resolve how much of a load one process should carry."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from autoscaler.decide.exact import exact

Measure = Literal["concurrency", "rate"]

DEFAULT_PER_PROCESS = {"concurrency": 100.0, "rate": 200.0}
LOWEST_TARGET = Fraction(1, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricTarget:
    """What one process carries at most, and what it should carry, after Knative's ``ResolveMetricTarget`` (``target.go``, 2026).

    ``per_process`` replaces the default. A hard limit is the default of a concurrency, and its highest; a rate knows none.
    """

    measure: Measure
    default: float
    per_process: float | None
    hard_limit: float | None
    utilization: float

    @property
    def total(self) -> Fraction:
        """Return the most that one process carries."""
        limit = self.hard_limit if self.measure == "concurrency" else None
        wanted = self.per_process or limit or self.default
        return exact(min(wanted, limit) if limit else wanted)

    @property
    def target(self) -> Fraction:
        """Return what one process should carry: ``total x utilization``, at least 0.01."""
        return max(LOWEST_TARGET, self.total * exact(self.utilization))
