"""Ranges that the figures of a result must lie in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autoscaler.model import Json

_ELASTICITY = (
    *(f"{kind}_{side}_percent" for kind in ("theta", "tau") for side in ("under", "over")),
    "instability_percent",
    "jitter_per_second",
    "supply_changes",
    "demand_changes",
    "missing_processes",
    "idle_processes",
    "process_hours",
    "demand_process_hours",
    "deviation.value",
)

# Every number in the result of a process type that a seed decides, by its path.
FIGURES = (
    "requests",
    "completed",
    "waiting",
    "busy",
    "dropped",
    "lost",
    "over_objective.number",
    "over_objective.share",
    *(f"{name}_seconds.{which}" for name in ("wait", "response") for which in ("mean", "p50", "p95", "p99", "p99_9", "maximum")),
    "longest_bad_stretch_seconds",
    "process_hours",
    "starts",
    "stops",
    "crashes",
    "jobs_killed",
    "scale_outs",
    "scale_ins",
    *(f"elasticity.{name}" for name in _ELASTICITY),
    *(f"oracle.{name}" for name in ("demand_process_hours", "optimal_process_hours", "to_demand", "to_optimal")),
)


@dataclass(frozen=True, slots=True)
class Expectation:
    """One figure of a process type lies between two bounds, these included."""

    process_type: str
    figure: str
    lowest: float
    highest: float

    def judge(self, result: Mapping[str, Json]) -> str | None:
        """Return why the result of the process type breaks it, or ``None`` when it holds."""
        value = figure_of(result, self.figure)
        if value is not None and self.lowest <= value <= self.highest:
            return None
        said = "nothing" if value is None else f"{value:g}"
        return f"{self.process_type}: {self.figure} is {said}, expected {self.lowest:g} to {self.highest:g}"


def figure_of(result: Mapping[str, Json], figure: str) -> float | None:
    """Look a figure up by its path; ``None`` when the result has no number there."""
    value: Json = dict(result)
    for key in figure.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return float(value) if isinstance(value, int | float) else None
