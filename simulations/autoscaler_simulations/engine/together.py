"""Look at several runs of one experiment together: their means, and how far these can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from autoscaler.model import Json
from autoscaler_simulations.engine.result import Result
from autoscaler_simulations.score.confidence import Interval, interval_of_mean
from autoscaler_simulations.score.score import TypeScore

_FIGURES: Mapping[str, Callable[[TypeScore], float | None]] = {
    "over_objective_share": lambda score: score.waits.share,
    "wait_p95_seconds": lambda score: score.waits.wait.p95,
    "response_p95_seconds": lambda score: score.waits.response.p95,
    "process_hours": lambda score: score.use.process_hours,
    "scale_outs": lambda score: score.use.scale_outs,
    "scale_ins": lambda score: score.use.scale_ins,
}


@dataclass(frozen=True, slots=True)
class Together:
    """The mean of each figure over the seeds, with its 95 % confidence interval."""

    scenario: str
    seeds: tuple[int, ...]
    types: dict[str, dict[str, Interval]]

    def as_json(self) -> dict[str, Json]:
        """Return the intervals as plain values."""
        types: dict[str, Json] = {name: {figure: asdict(interval) for figure, interval in figures.items()} for name, figures in self.types.items()}
        return {"event": "confidence", "scenario": self.scenario, "seeds": list(self.seeds), "level": 0.95, "types": types}

    def as_lines(self) -> list[str]:
        """Write the intervals for people."""
        lines = [f"over the seeds {self.seeds[0]} to {self.seeds[-1]}, means with their 95 % confidence"]
        for name, figures in self.types.items():
            lines += [f"{name}: {figure} {interval.mean:.4g} ({interval.low:.4g} to {interval.high:.4g})" for figure, interval in figures.items()]
        return lines


def together(results: Sequence[Result]) -> Together:
    """Gather at least two runs that differ in nothing but their seed; a figure that one of them lacks is left out."""
    types: dict[str, dict[str, Interval]] = {}
    for name in results[0].score.types:
        scores = [result.score.types[name] for result in results]
        figures = {figure: [read(score) for score in scores] for figure, read in _FIGURES.items()}
        known = {figure: np.array(values, float) for figure, values in figures.items() if None not in values}
        intervals = {figure: interval_of_mean(values) for figure, values in known.items()}
        types[name] = {figure: interval for figure, interval in intervals.items() if interval is not None}
    return Together(results[0].experiment.name, tuple(result.seed for result in results), types)
