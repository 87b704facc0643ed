"""Measure by its name in the reference what a queue did."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autoscaler_policies.erlang import mean_wait
from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.durations import Exponential
from autoscaler_simulations.load.arrivals import Arrivals
from autoscaler_simulations.load.trace import RateCurve
from autoscaler_simulations.plant.requests import RequestQueue
from fidelity.stationary import Raw, Run, System, run

_WARM_UP_PERIODS = 2
_SAMPLES = 72  # of the number of busy slots, in a period
_CURVE_POINTS = 360  # of the arrival rate, in a period
_PLENTY = 3  # times the mean number of busy slots is as good as infinitely many

MEASURES: dict[str, Callable[[Run], float]] = {
    "rho": lambda run: run.busy / run.system.slots,
    "util": lambda run: run.busy / run.system.slots,
    "P_wait": lambda run: float((run.waits > 0).mean()),
    "Wq": lambda run: float(run.waits.mean()),
    "W": lambda run: float(run.responses.mean()),
    "Lq": lambda run: run.waiting,
    "L": lambda run: run.waiting + run.busy,
    "ratio_to_MMc": lambda run: float(run.waits.mean()) / _wait_of_exponential(run.system),
    "P_block": lambda run: (run.after.dropped - run.before.dropped) / (run.after.arrived - run.before.arrived),
    "throughput": lambda run: (run.after.completed - run.before.completed) / run.seconds,
    "P0": lambda run: run.empty,
}


@dataclass(frozen=True, slots=True)
class Steady:
    """A queue in its steady state, measured over so many requests."""

    system: System
    requests: int

    def measure(self, names: tuple[str, ...], seed: int) -> tuple[float, ...]:
        """Run it once; return the named quantities."""
        ran = run(self.system, self.requests, np.random.default_rng(seed))
        return tuple(_measure(ran, name) for name in names)


@dataclass(frozen=True, slots=True)
class Wave:
    """A load that swings as a sine, with a slot for every request: M_t/M/infinity (Eick, Massey, Whitt 1993)."""

    offered: float  # mean number of busy slots
    amplitude: float  # by which arrivals alone would move it
    period_seconds: float
    mean_seconds: float
    periods: int

    def measure(self, names: tuple[str, ...], seed: int) -> tuple[float, ...]:
        """Run it once, and fit one harmonic to the number of busy slots; return its highest value or how late it is."""
        at, busy = self._busy(np.random.default_rng(seed))
        angle = 2 * math.pi * at / self.period_seconds
        (mean, sine, cosine), *_ = np.linalg.lstsq(np.stack([np.ones_like(at), np.sin(angle), np.cos(angle)], axis=1), busy, rcond=None)
        lag = math.atan2(-cosine, sine) / (2 * math.pi) * self.period_seconds
        return tuple({"m_max": mean + math.hypot(sine, cosine), "lag_s": lag}[name] for name in names)

    def _busy(self, chance: np.random.Generator) -> tuple[Floats, Floats]:
        queue = RequestQueue(Arrivals(self._curve(), Exponential(self.mean_seconds)).blocks(chance), Raw())
        queue.open(0, int(_PLENTY * self.offered))
        at = np.arange(_WARM_UP_PERIODS * _SAMPLES, (_WARM_UP_PERIODS + self.periods) * _SAMPLES) * self.period_seconds / _SAMPLES
        busy = np.array([_busy_at(queue, float(each)) for each in at])
        queue.finish()
        return at, busy

    def _curve(self) -> RateCurve:
        interval = self.period_seconds / _CURVE_POINTS
        middles = (np.arange((_WARM_UP_PERIODS + self.periods) * _CURVE_POINTS) + 0.5) * interval
        wave = self.amplitude * np.sin(2 * math.pi * middles / self.period_seconds)
        return RateCurve(interval, (self.offered + wave) / self.mean_seconds)


def _measure(ran: Run, name: str) -> float:
    if found := re.fullmatch(r"(W|Wq)_p(\d+)", name):
        return float(np.quantile(ran.waits if found[1] == "Wq" else ran.responses, int(found[2]) / 100))
    if found := re.fullmatch(r"P_Wq_gt_([\d.]+)", name):
        return float((ran.waits > float(found[1])).mean())
    return MEASURES[name](ran)


def _wait_of_exponential(system: System) -> float:
    return mean_wait(system.slots, system.rate * system.service.mean, system.service.mean)


def _busy_at(queue: RequestQueue, at: float) -> float:
    queue.advance(at)
    return queue.tally().busy
