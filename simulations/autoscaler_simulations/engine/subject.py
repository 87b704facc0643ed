"""One process type under test: its plant, and what is counted of it for the score."""

from __future__ import annotations

from autoscaler.model import Decision
from autoscaler_simulations.plant.plant import Plant
from autoscaler_simulations.score.demand import Demand
from autoscaler_simulations.score.elasticity import ElasticityMeter
from autoscaler_simulations.score.outcomes import Outcomes


class Subject:
    """Lets decisions have their effect on a plant, and measures demand and supply at every tick of the interval."""

    def __init__(self, plant: Plant, outcomes: Outcomes, demand: Demand, interval_seconds: float) -> None:
        """Take a plant whose queue tells ``outcomes``."""
        self.plant = plant
        self.outcomes = outcomes
        self.demand = demand
        self.meter = ElasticityMeter(interval_seconds)
        self.scale_outs = 0
        self.scale_ins = 0
        self._demanded = demand.processes.tolist()

    def decided(self, decision: Decision) -> None:
        """Do what was decided."""
        if decision.action == "scale_out":
            self.scale_outs += 1
        elif decision.action == "scale_in":
            self.scale_ins += 1
        else:
            return
        self.plant.scale(decision.target)

    def measure(self, at: float) -> None:
        """Compare how many processes are ready with how many the load needs."""
        place = min(int(at / self.demand.interval_seconds), len(self._demanded) - 1)
        self.meter.add(self._demanded[place], self.plant.observe().counts.running)
