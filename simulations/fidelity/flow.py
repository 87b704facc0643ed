"""Hold the flow queue to the queue of single requests, on loads that rise, follow the day and burst."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.distribution import Distribution
from autoscaler_simulations.durations import Deterministic, Exponential, Lognormal
from autoscaler_simulations.load.arrivals import Arrivals
from autoscaler_simulations.load.trace import RateCurve
from autoscaler_simulations.plant.flow import FlowQueue
from autoscaler_simulations.plant.requests import RequestQueue
from autoscaler_simulations.score.objective import Objective
from autoscaler_simulations.score.outcomes import Outcomes
from fidelity.result import Result

_MINUTE = 60.0
_LAG_SECONDS = 60.0  # from a rise of the load to the slots that it needs
_SEEDS = 3
_RELATIVE, _ABSOLUTE = 0.10, 0.002  # of the share over the objective
_WAIT_SERVICES, _RESPONSE_SERVICES = 1.0, 4.0  # services that the objective allows
_ERLANGS, _PEAK_SEED = 3.0, 5


@dataclass(frozen=True, slots=True)
class Case:
    """A load in erlangs for each minute, and the slots that follow it a minute late; both queues see the same."""

    name: str
    erlangs: Floats
    service: Distribution
    utilization: float  # that the slots are planned for
    measure: Literal["wait", "response"]
    step_seconds: float

    @property
    def objective(self) -> Objective:
        """Allow so many services."""
        services = _WAIT_SERVICES if self.measure == "wait" else _RESPONSE_SERVICES
        return Objective(self.measure, services * self.service.mean)

    @property
    def curve(self) -> RateCurve:
        """Return the load as arrivals a second."""
        return RateCurve(_MINUTE, self.erlangs / self.service.mean)

    def slots(self) -> Iterator[tuple[float, int]]:
        """Yield when there are how many slots; more come late, fewer at once."""
        wanted = np.ceil(self.erlangs / self.utilization + 1).astype(int).tolist()
        changes = [(0.0, wanted[0])]
        for minute, (before, now) in enumerate(pairwise(wanted), start=1):
            if before != now:
                changes.append((minute * _MINUTE + (_LAG_SECONDS if now > before else 0.0), now))
        yield from sorted(changes)


def cases() -> Iterator[Case]:
    """Yield every load with every service and both utilizations."""
    for load, shape in (("step", _steps()), ("diurnal", _day()), ("bursty", _bursts())):
        for utilization in (0.6, 0.85):
            for mean, erlangs in ((0.2, _ERLANGS), (0.5, 8.0)):
                planned = f"{load}, {mean:g} s, at {100 * utilization:g} %"
                yield Case(f"{planned}, exponential, 5 s", shape * erlangs, Exponential(mean), utilization, "wait", 5.0)
                yield Case(f"{planned}, lognormal, 60 s", shape * erlangs, Lognormal(mean, 4.0), utilization, "response", 60.0)
                yield Case(f"{planned}, deterministic, 15 s", shape * erlangs, Deterministic(mean), utilization, "response", 15.0)


def check() -> Result:
    """Compare the shares over the objective, as means over the same seeds."""
    every = list(cases())
    with ProcessPoolExecutor(2) as workers:
        pairs = list(workers.map(shares, every))
    lines, holds = [], True
    for case, (flow, requests) in zip(every, pairs, strict=True):
        is_near = abs(flow - requests) <= max(_RELATIVE * requests, _ABSOLUTE)
        holds = holds and is_near
        lines.append(f"{case.name}: {100 * flow:.2f} % over by flows, {100 * requests:.2f} % by requests{'' if is_near else ': too far apart'}")
    return Result("flows against requests", holds, tuple(lines))


def shares(case: Case) -> tuple[float, float]:
    """Return the share over the objective by flows and by requests."""
    both = [(_share(case, seed, is_flow=True), _share(case, seed, is_flow=False)) for seed in range(_SEEDS)]
    flows, requests = zip(*both, strict=True)
    return float(np.mean(flows)), float(np.mean(requests))


def _share(case: Case, seed: int, *, is_flow: bool) -> float:
    curve, chance = case.curve, np.random.default_rng(seed)
    outcomes = Outcomes(case.objective, curve.length_seconds)
    queue: FlowQueue | RequestQueue
    arrivals = Arrivals(curve, case.service)
    queue = FlowQueue(curve, case.service, outcomes, chance) if is_flow else RequestQueue(arrivals.blocks(chance), outcomes)
    _drive(case, queue, curve.length_seconds)
    waits = outcomes.waits()
    return waits.over / waits.number


def _drive(case: Case, queue: FlowQueue | RequestQueue, length: float) -> None:
    ready: list[int] = []
    changes = [*case.slots(), (length, 0)]
    opened = 0
    for (at, slots), (until, _) in pairwise(changes):
        for process in range(opened, opened + max(0, slots - len(ready))):
            queue.open(process, 1)
            ready.append(process)
            opened = process + 1
        for process in ready[slots:]:
            queue.drain(process)
        ready = ready[:slots]
        for now in [*np.arange(at, until, case.step_seconds)[1:].tolist(), until]:
            queue.advance(now)
    queue.finish()


def _steps() -> Floats:
    return np.where(np.arange(360) // 30 % 2 == 0, 1.0, 2.2)


def _day() -> Floats:
    return 1.5 - np.cos(2 * np.pi * np.arange(1440) / 1440)


def _bursts() -> Floats:
    chance, shape = np.random.default_rng(_PEAK_SEED), np.ones(720)
    for begins in range(40, 720, 90):
        shape[begins : begins + int(chance.integers(5, 16))] = chance.uniform(3, 5)
    return shape
