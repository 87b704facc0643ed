"""Build the plants of an experiment, every one with chances of its own."""

from __future__ import annotations

import numpy as np

from autoscaler.decide.settings import TypeSettings
from autoscaler_simulations.engine.experiment import Experiment, Workload
from autoscaler_simulations.engine.subject import Subject
from autoscaler_simulations.load.arrivals import Arrivals
from autoscaler_simulations.load.curves import coarsen, to_curve
from autoscaler_simulations.load.placing import draw_numbers
from autoscaler_simulations.load.trace import JobList, RateCurve
from autoscaler_simulations.plant.flow import FlowQueue
from autoscaler_simulations.plant.plant import Plant
from autoscaler_simulations.plant.queue import Queue
from autoscaler_simulations.plant.requests import RequestQueue
from autoscaler_simulations.score.demand import Demand, demand_of_curve, demand_of_jobs
from autoscaler_simulations.score.outcomes import Outcomes

_DEMAND_SECONDS = 60.0  # over which demand is told, so that the noise of a second makes none


def make_subjects(experiment: Experiment, seed: int) -> dict[str, Subject]:
    """Make the subject of every process type; the same seed gives the same run, and a type's chances do not depend on other types."""
    return {one.name: _subject(one, experiment, seed) for one in experiment.settings.types}


def _subject(one: TypeSettings, experiment: Experiment, seed: int) -> Subject:
    workload = experiment.workloads[one.name]
    by_load, by_life = np.random.default_rng([seed, *one.name.encode()]).spawn(2)
    outcomes = Outcomes(workload.objective, experiment.length_seconds)
    queue = _queue(workload, experiment, outcomes, by_load)
    minimum = one.process_type.minimum
    plant = Plant(one.process_type, workload.life, queue, by_life, minimum if workload.running is None else workload.running)
    return Subject(plant, outcomes, _demand(workload, one.process_type.slots), experiment.settings.interval_seconds)


def _queue(workload: Workload, experiment: Experiment, outcomes: Outcomes, chance: np.random.Generator) -> Queue:
    trace, service = workload.trace, workload.service
    if experiment.fidelity == "flow" and isinstance(trace, RateCurve) and service is not None:
        return FlowQueue(_flow(trace, workload, chance), service, outcomes, chance, limit=workload.limit)
    arrivals = Arrivals(trace, service, spread=workload.spread, fano=workload.fano)
    return RequestQueue(arrivals.blocks(chance), outcomes, limit=workload.limit)


def _flow(trace: RateCurve, workload: Workload, chance: np.random.Generator) -> RateCurve:
    """Say what a flow is to take as it is: an even load, or what a bursty one (``fano`` above 1) brings in each interval."""
    if workload.fano > 1.0:
        return RateCurve(trace.interval_seconds, draw_numbers(trace, workload.fano, chance) / trace.interval_seconds, are_counts=True)
    return RateCurve(trace.interval_seconds, trace.rates, are_counts=trace.are_counts or workload.spread == "even")


def _demand(workload: Workload, slots: int) -> Demand:
    trace, service = workload.trace, workload.service
    if isinstance(trace, RateCurve) and service is not None:
        return demand_of_curve(coarsen(trace, _DEMAND_SECONDS), service, workload.objective, slots)
    if isinstance(trace, JobList) and service is None:
        return demand_of_jobs(trace, workload.objective, slots, _DEMAND_SECONDS)
    if isinstance(trace, JobList) and service is not None:
        return demand_of_curve(to_curve(trace, _DEMAND_SECONDS), service, workload.objective, slots)
    raise ValueError("a load of rates says nothing of the work of a request; give a service distribution")
