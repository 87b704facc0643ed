"""Measure how closely the supply of processes followed the demand, by the elasticity metrics of SPEC RG."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autoscaler_simulations.score.errors import ScoreError

METRICS_COMBINED = 5  # both accuracies, both time shares, instability
_PERCENT = 100.0
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Elasticity:
    """The metrics of one run (Herbst et al. 2016, SPEC-RG-2016-01; Bauer et al. 2019); demand comes from load and objective alone.

    All are blind to queues: read them beside the waits.
    """

    theta_under_percent: float  # processes missing, relative to the demand, over time; a demand of 0 divides as 1
    theta_over_percent: float  # processes too many, likewise
    tau_under_percent: float  # share of time with too few
    tau_over_percent: float  # share of time with too many
    instability_percent: float | None  # share of steps in which supply and demand move differently; None below two intervals
    jitter_per_second: float  # changes of supply less changes of demand: above 0 it oscillates, below 0 it is sluggish
    supply_changes: int
    demand_changes: int
    missing_processes: float  # a_U: the mean shortage
    idle_processes: float  # a_O: the mean excess
    process_hours: float  # of the supply
    demand_process_hours: float

    def deviation(self, power: int = METRICS_COMBINED) -> float | None:
        """Return sigma, the distance from an ideal scaler in the Minkowski metric of ``power``; say the power wherever it is shown.

        ``None`` below two intervals.
        """
        if self.instability_percent is None:
            return None
        parts = (self.theta_under_percent, self.theta_over_percent, self.tau_under_percent, self.tau_over_percent, self.instability_percent)
        return float(sum(part**power for part in parts) ** (1 / power))


@dataclass(slots=True)
class ElasticityMeter:
    """Adds up the metrics interval by interval; every one lasts ``interval_seconds``."""

    interval_seconds: float
    _intervals: int = 0
    _short: int = 0  # intervals with too few
    _over: int = 0
    _missing: float = 0.0
    _idle: float = 0.0
    _missing_share: float = 0.0  # of the demand
    _idle_share: float = 0.0
    _supplied: float = 0.0
    _demanded: float = 0.0
    _unlike: int = 0  # steps in which supply and demand move differently
    _supply_changes: int = 0
    _demand_changes: int = 0
    _last_demand: int = 0
    _last_supply: int = 0

    def __post_init__(self) -> None:
        """Refuse an interval without length; raises ``ScoreError``."""
        _check_interval(self.interval_seconds)

    def add(self, demand: int, supply: int) -> None:
        """Take the next interval: the processes that the load needed, and those that were ready."""
        if self._intervals and (demand != self._last_demand or supply != self._last_supply):
            self._step(demand - self._last_demand, supply - self._last_supply)
        self._intervals += 1
        self._last_demand, self._last_supply = demand, supply
        self._demanded += demand
        self._supplied += supply
        if demand > supply:
            self._short += 1
            self._missing += demand - supply
            self._missing_share += (demand - supply) / demand
        elif supply > demand:
            self._over += 1
            self._idle += supply - demand
            self._idle_share += (supply - demand) / (demand or 1)

    def elasticity(self) -> Elasticity:
        """Return the metrics of all intervals so far; raises ``ScoreError`` when there was none."""
        if not self._intervals:
            raise ScoreError("elasticity cannot be measured over no interval; let the run last at least one")
        intervals, hours = self._intervals, self.interval_seconds / _HOUR
        return Elasticity(
            theta_under_percent=_PERCENT * self._missing_share / intervals,
            theta_over_percent=_PERCENT * self._idle_share / intervals,
            tau_under_percent=_PERCENT * self._short / intervals,
            tau_over_percent=_PERCENT * self._over / intervals,
            instability_percent=_PERCENT * self._unlike / (intervals - 1) if intervals > 1 else None,
            jitter_per_second=(self._supply_changes - self._demand_changes) / (intervals * self.interval_seconds),
            supply_changes=self._supply_changes,
            demand_changes=self._demand_changes,
            missing_processes=self._missing / intervals,
            idle_processes=self._idle / intervals,
            process_hours=self._supplied * hours,
            demand_process_hours=self._demanded * hours,
        )

    def _step(self, demand_change: int, supply_change: int) -> None:
        self._demand_changes += demand_change != 0
        self._supply_changes += supply_change != 0
        self._unlike += _sign(demand_change) != _sign(supply_change)


def elasticity_of(demand: npt.NDArray[np.int64], supply: npt.NDArray[np.int64], interval_seconds: float) -> Elasticity:
    """Return the metrics of a whole run; demand and supply in processes, shape (intervals,); raises ``ScoreError``.

    ``theta_U = 100/T sum(max(d - s, 0)/max(d, 1) dt)``, ``tau_U = 100/T sum(sgn(max(d - s, 0)) dt)``, and with s - d for too many;
    ``instability = 100/(T - dt) sum(min(|sgn(step of s) - sgn(step of d)|, 1) dt)``; ``jitter = (changes of s - changes of d)/T``.
    """
    _check_interval(interval_seconds)
    if len(demand) != len(supply) or not len(demand):
        raise ScoreError(f"elasticity: {len(demand)} intervals of demand, {len(supply)} of supply; give as many of both, at least one")
    missing, idle = np.maximum(demand - supply, 0), np.maximum(supply - demand, 0)
    relative = _PERCENT / np.maximum(demand, 1)
    demand_moves, supply_moves = np.sign(np.diff(demand)), np.sign(np.diff(supply))
    changes = int(np.count_nonzero(supply_moves)), int(np.count_nonzero(demand_moves))
    hours = interval_seconds / _HOUR
    return Elasticity(
        theta_under_percent=float(np.mean(missing * relative)),
        theta_over_percent=float(np.mean(idle * relative)),
        tau_under_percent=_PERCENT * float(np.mean(missing > 0)),
        tau_over_percent=_PERCENT * float(np.mean(idle > 0)),
        instability_percent=_PERCENT * float(np.mean(demand_moves != supply_moves)) if len(demand) > 1 else None,
        jitter_per_second=(changes[0] - changes[1]) / (len(demand) * interval_seconds),
        supply_changes=changes[0],
        demand_changes=changes[1],
        missing_processes=float(np.mean(missing)),
        idle_processes=float(np.mean(idle)),
        process_hours=float(supply.sum()) * hours,
        demand_process_hours=float(demand.sum()) * hours,
    )


def _check_interval(seconds: float) -> None:
    if not seconds > 0:
        raise ScoreError(f"elasticity: an interval of {seconds} s has no length; give one above 0")


def _sign(change: int) -> int:
    return (change > 0) - (change < 0)
