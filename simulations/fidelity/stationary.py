"""Run a queue in its steady state, to measure it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.distribution import Distribution
from autoscaler_simulations.load.arrivals import Arrivals
from autoscaler_simulations.load.trace import RateCurve
from autoscaler_simulations.plant.queue import Tally
from autoscaler_simulations.plant.requests import RequestQueue

_WARM_UP = 0.1  # of the run, before anything is measured
_STEPS = 100  # in which the rest is advanced
_INTERVALS = 1000


@dataclass(frozen=True, slots=True)
class System:
    """Poisson arrivals a second, their service, the slots, and how many may wait."""

    rate: float
    service: Distribution
    slots: int
    limit: int | None = None


@dataclass(slots=True)
class Raw:
    """Every request that started, as the queue told it."""

    told: list[tuple[Floats, Floats, Floats]] = field(default_factory=list)  # arrivals, waits, services

    def add(self, arrivals: Floats, waits: Floats, services: Floats) -> None:
        """Keep them."""
        self.told.append((arrivals, waits, services))

    def retract(self, arrival: float, wait: float, service: float) -> None:
        """Refuse: no process is killed in a steady state."""
        raise AssertionError((arrival, wait, service))

    def refuse(self, at: float) -> None:
        """Leave the count of dropped ones to the tally."""

    def leave_waiting(self, arrivals: Floats, now: float) -> None:
        """Leave out who has not started: a handful, of very many."""


@dataclass(frozen=True)
class Run:
    """What was measured after the warm-up: tallies at its end and at the end, and the requests that arrived between."""

    system: System
    before: Tally
    after: Tally
    arrivals: Floats
    waits: Floats
    services: Floats

    @property
    def seconds(self) -> float:
        """Return how long was measured."""
        return self.after.at - self.before.at

    @cached_property
    def responses(self) -> Floats:
        """Return waits and services together."""
        return self.waits + self.services

    @property
    def waiting(self) -> float:
        """Return the mean number of waiting requests, over time."""
        return (self.after.waiting_seconds - self.before.waiting_seconds) / self.seconds

    @property
    def busy(self) -> float:
        """Return the mean number of busy slots, over time."""
        return (self.after.busy_seconds - self.before.busy_seconds) / self.seconds

    @property
    def empty(self) -> float:
        """Return the share of time without any request: the gaps between the last end so far and the next arrival."""
        last_ends = np.maximum.accumulate(self.arrivals + self.responses)[:-1]
        return float(np.maximum(self.arrivals[1:] - last_ends, 0.0).sum() / (self.arrivals[-1] - self.arrivals[0]))


def run(system: System, requests: int, chance: np.random.Generator) -> Run:
    """Let about so many requests arrive after the warm-up, in the steps of an autoscaler that changes nothing."""
    seconds = requests / system.rate / (1 - _WARM_UP)
    curve = RateCurve(seconds / _INTERVALS, np.full(_INTERVALS, system.rate))
    raw = Raw()
    queue = RequestQueue(Arrivals(curve, system.service).blocks(chance), raw, limit=system.limit)
    queue.open(0, system.slots)
    queue.advance(_WARM_UP * seconds)
    before = queue.tally()
    for step in range(1, _STEPS + 1):
        queue.advance(seconds * (_WARM_UP + (1 - _WARM_UP) * step / _STEPS))
    queue.finish()
    arrivals, waits, services = (np.concatenate(parts) for parts in zip(*raw.told, strict=True))
    is_measured = arrivals >= before.at
    return Run(system, before, queue.tally(), arrivals[is_measured], waits[is_measured], services[is_measured])
