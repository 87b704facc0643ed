"""Measure requests a second of the simulated queue, beside other simulators of the same queue."""

from __future__ import annotations

import functools
import heapq
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import ciw
import numpy as np
import simpy

from autoscaler_simulations.durations import Exponential
from autoscaler_simulations.load.arrivals import Arrivals
from autoscaler_simulations.load.trace import RateCurve
from autoscaler_simulations.plant.requests import RequestQueue
from autoscaler_simulations.score.objective import Objective
from autoscaler_simulations.score.outcomes import Outcomes
from table import Table

SLOTS, SERVICE_SECONDS, UTILIZATION = 8, 0.2, 0.8
RATE = SLOTS * UTILIZATION / SERVICE_SECONDS
STEP_SECONDS = 5.0
STEPS_OF_A_PROCESS = 12  # one slot each: after so many steps one drains, and another takes its place
ROUNDS = 3
GOAL = 5


@dataclass(frozen=True, slots=True)
class _Contender:
    """A simulator of M/M/8: what it is, how many requests it is given, and a run of so many that returns the mean wait."""

    name: str
    requests: int
    run: Callable[[int], float]

    def seconds_a_request(self) -> tuple[float, float]:
        """Return the processor seconds of the best round, and the mean wait."""
        rounds = [_timed(self.run, self.requests) for _ in range(ROUNDS)]
        return min(seconds for seconds, _ in rounds) / self.requests, rounds[0][1]


def measure() -> Table:
    """Run M/M/8 at 80 % through all of them; processor time, best of three."""
    contenders = (
        _Contender("simpy, an event for each step", 100_000, _simpy),
        _Contender("ciw, with its records", 20_000, _ciw),
        _Contender("plant, processes coming and going, outcomes, check", 1_000_000, _plant),
        _Contender("heap of ends alone, lists in and out", 1_000_000, _heap),
    )
    measured = [(each, *each.seconds_a_request()) for each in contenders]
    of_simpy = measured[0][1]
    rows = tuple(
        (each.name, f"{each.requests:,}", f"{1 / seconds:,.0f}", f"{of_simpy / seconds:.1f}", f"{wait * 1e3:.1f} ms")
        for each, seconds, wait in measured
    )
    title = f"M/M/{SLOTS} at {UTILIZATION:.0%}, {SERVICE_SECONDS * 1e3:.0f} ms of service (goal {GOAL} x simpy)"
    return Table(title, ("simulator", "requests", "requests/s", "x simpy", "mean wait"), rows)


def _timed(run: Callable[[int], float], requests: int) -> tuple[float, float]:
    began = time.process_time()
    wait = run(requests)
    return time.process_time() - began, wait


def _plant(requests: int) -> float:
    seconds = requests / RATE
    arrivals = Arrivals(RateCurve(seconds / 1000, np.full(1000, RATE)), Exponential(SERVICE_SECONDS))
    outcomes = Outcomes(Objective("wait", 0.1), seconds)
    queue = RequestQueue(arrivals.blocks(np.random.default_rng(1)), outcomes)
    for process in range(SLOTS):
        queue.open(process, 1)
    for step in range(1, int(seconds / STEP_SECONDS) + 1):
        queue.advance(step * STEP_SECONDS)
        queue.tally()
        if step % STEPS_OF_A_PROCESS == 0:
            _replace(queue, step // STEPS_OF_A_PROCESS)
    queue.finish()
    return outcomes.waits().wait.mean or 0.0


def _replace(queue: RequestQueue, number: int) -> None:
    oldest = number - 1
    queue.open(oldest + SLOTS, 1)
    queue.drain(oldest)
    if oldest:
        queue.close(oldest - 1, returns=True)


def _heap(requests: int) -> float:
    arrivals, services = _drawn(requests)
    free, replace = [0.0] * SLOTS, heapq.heapreplace
    starts = []
    for arrival, service in zip(arrivals, services, strict=True):
        start = free[0]
        if start < arrival:  # noqa: PLR1730 - as in the plant
            start = arrival
        replace(free, start + service)
        starts.append(start)
    return (sum(starts) - sum(arrivals)) / requests


@functools.cache
def _drawn(requests: int) -> tuple[list[float], list[float]]:
    chance = np.random.default_rng(1)
    return np.cumsum(chance.exponential(1 / RATE, requests)).tolist(), chance.exponential(SERVICE_SECONDS, requests).tolist()


def _simpy(requests: int) -> float:
    environment, waits = simpy.Environment(), []
    slots = simpy.Resource(environment, SLOTS)
    arrivals, services = _drawn(requests)

    def serve(service: float) -> Iterator[simpy.Event]:
        came = environment.now
        with slots.request() as request:
            yield request
            waits.append(environment.now - came)
            yield environment.timeout(service)

    def arrive() -> Iterator[simpy.Event]:
        for arrival, service in zip(arrivals, services, strict=True):
            yield environment.timeout(arrival - environment.now)
            environment.process(serve(service))

    environment.process(arrive())
    environment.run()
    return sum(waits) / len(waits)


def _ciw(requests: int) -> float:
    random.seed(1)
    ciw.seed(1)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(RATE)],
        service_distributions=[ciw.dists.Exponential(1 / SERVICE_SECONDS)],
        number_of_servers=[SLOTS],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(requests)
    waits = [record.waiting_time for record in simulation.get_all_records()]
    return sum(waits) / len(waits)
