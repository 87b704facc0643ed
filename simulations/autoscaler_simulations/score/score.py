"""Tell how a run went, as plain JSON or as sentences for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from autoscaler.model import Json
from autoscaler_simulations.plant.queue import Tally
from autoscaler_simulations.score.confidence import Interval, bootstrap_blocks
from autoscaler_simulations.score.elasticity import METRICS_COMBINED, Elasticity
from autoscaler_simulations.score.objective import Objective
from autoscaler_simulations.score.oracle import Bounds
from autoscaler_simulations.score.outcomes import Outcomes
from autoscaler_simulations.score.waits import Waits

_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Use:
    """What the processes of one type cost, and how they were scaled."""

    process_hours: float  # from each request to start one to its exit
    starts: int
    stops: int
    crashes: int  # processes that ended unasked, failed starts and lost ones included
    jobs_killed: int
    scale_outs: int
    scale_ins: int
    elasticity: Elasticity


@dataclass(frozen=True, slots=True)
class TypeScore:
    """How one process type served its load, against its objective and a clairvoyant."""

    objective: Objective
    tally: Tally  # at the end
    waits: Waits
    longest_bad_stretch_seconds: float
    share_over: Interval | None  # with its confidence, from blocks of time; None for fewer than two of them
    use: Use
    bounds: Bounds

    @property
    def to_demand(self) -> float | None:
        """Return the cost as a multiple of a supply that equals the demand; ``None`` when nothing was demanded."""
        return _ratio(self.use.process_hours, self.bounds.demand_process_hours)

    @property
    def to_optimal(self) -> float | None:
        """Return the cost as a multiple of the clairvoyant optimum, whose starts and stops are paid for too."""
        return _ratio(self.use.process_hours, self.bounds.optimal_process_hours)

    def as_json(self) -> dict[str, Json]:
        """Return everything, with units in the names."""
        use, tally, waits = self.use, self.tally, self.waits
        return {
            "objective": asdict(self.objective),
            "requests": tally.arrived,
            "completed": tally.completed,
            "waiting": tally.waiting,  # at the end, as those that are worked on
            "busy": tally.busy,
            "dropped": tally.dropped,
            "lost": tally.lost,
            "over_objective": {"number": waits.over, "share": waits.share},
            "wait_seconds": asdict(waits.wait),
            "response_seconds": asdict(waits.response),
            "longest_bad_stretch_seconds": self.longest_bad_stretch_seconds,
            "process_hours": use.process_hours,
            "starts": use.starts,
            "stops": use.stops,
            "crashes": use.crashes,
            "jobs_killed": use.jobs_killed,
            "scale_outs": use.scale_outs,
            "scale_ins": use.scale_ins,
            "elasticity": _elasticity_json(use.elasticity),
            "oracle": {**asdict(self.bounds), "to_demand": self.to_demand, "to_optimal": self.to_optimal},
            "confidence": {"level": _LEVEL, "over_objective_share": asdict(self.share_over) if self.share_over else None},
        }

    def as_lines(self) -> list[str]:
        """Write the score for people, a line for each thing that matters."""
        tally, use, waits, allowed = self.tally, self.use, self.waits, 100 * (1 - self.objective.share)
        return [
            f"objective          {self.objective}; {self._over()}",
            f"longest bad time   {self.longest_bad_stretch_seconds:.0f} s in a row in which more than {allowed:.3g} % of them did not",
            f"requests           {tally.arrived:.0f}: {tally.completed:.0f} completed, {tally.dropped:.0f} dropped, {tally.lost:.0f} lost",
            f"wait               {waits.wait}",
            f"response           {waits.response}",
            f"cost               {use.process_hours:.2f} process-hours",
            f"processes          {use.starts} started, {use.stops} stopped, {use.crashes} ended unasked, {use.jobs_killed} jobs killed",
            f"scaled             out {use.scale_outs}, in {use.scale_ins}",
            *_elasticity_lines(use.elasticity),
            f"clairvoyant        {self.bounds.optimal_process_hours:.2f} process-hours{_times(self.to_optimal)}",
            *([f"note               {self.bounds.note}"] if self.bounds.note else []),
        ]

    def _over(self) -> str:
        if self.waits.share is None:
            return "no request was judged by it"
        trust = f" ({_LEVEL:.0%} confidence {self.share_over.low:.3%} to {self.share_over.high:.3%})" if self.share_over else ""
        return f"{self.waits.over:.0f} of {self.waits.number:.0f} did not, {self.waits.share:.3%}{trust}"


@dataclass(frozen=True, slots=True)
class Score:
    """How a whole formation went."""

    seconds: float
    types: Mapping[str, TypeScore]  # by the name of the process type

    def as_json(self) -> dict[str, Json]:
        """Return the scores of all types with what they cost together."""
        types: dict[str, Json] = {name: score.as_json() for name, score in self.types.items()}
        return {"seconds": self.seconds, "process_hours": sum(score.use.process_hours for score in self.types.values()), "types": types}

    def as_lines(self) -> list[str]:
        """Write all scores for people, each under its process type."""
        lines: list[str] = []
        for name, score in self.types.items():
            lines += ["", f"{name}: {self.seconds:.0f} s", *score.as_lines()]
        return lines


def score_of(outcomes: Outcomes, tally: Tally, use: Use, bounds: Bounds, chance: np.random.Generator) -> TypeScore:
    """Gather the score of one process type at the end of its run; ``chance`` draws the blocks of time for the confidence."""
    over, number = outcomes.blocks()
    # Flows take killed jobs back with a mean share: a block may then hold a little less than nothing, which no request was.
    share_over = bootstrap_blocks(np.clip(over, 0.0, np.maximum(number, 0.0)), number, chance, _LEVEL)
    return TypeScore(outcomes.objective, tally, outcomes.waits(), outcomes.longest_bad_stretch(), share_over, use, bounds)


def _ratio(cost: float, bound: float) -> float | None:
    return cost / bound if bound else None


def _times(ratio: float | None) -> str:
    if ratio is None:
        return ""
    return f"; this run paid {ratio:.2f} times that{'' if ratio >= 1 else ', since some waited longer than they had to'}"


def _elasticity_json(elasticity: Elasticity) -> dict[str, Json]:
    deviation: dict[str, Json] = {"power": METRICS_COMBINED, "value": elasticity.deviation(METRICS_COMBINED)}
    return {**asdict(elasticity), "deviation": deviation, "demand_of_zero_divides_as": 1}


def _elasticity_lines(values: Elasticity) -> list[str]:
    return [
        f"too few            {values.tau_under_percent:.1f} % of the time, {values.theta_under_percent:.1f} % of what the load needed",
        f"too many           {values.tau_over_percent:.1f} % of the time, {values.theta_over_percent:.1f} % of what the load needed",
    ]
