"""Give the waits of a queue that keeps up on average, by Erlang's formula and the reflected Brownian motion."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from autoscaler_policies.erlang import erlang_c, variability_of
from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.plant.flow_steady import SteadyWaits

_LOAD_GRAIN = 2000  # loads are told apart to one part in so many
_POISSON_SCV = 1.0
_NODES = ((0.1127016653792583, 5 / 18), (0.5, 8 / 18), (0.8872983346207417, 5 / 18))  # of Gauss and Legendre on (0, 1), with their weights
_SURE = 2.0  # standard deviations from 0 at which the waiting will not be there
_SOON = 0.1  # of a span, in which what waits at its beginning is forgotten
_SETTLED = 30.0  # relaxation times after which nobody asks where the queue began
_FLAT = 1e-3  # drifts below this many standard deviations are none
_TAIL_FROM = 25.0  # standard deviations from which the normal tail is written by its first term


@dataclass(frozen=True, slots=True)
class Shift:
    """Waits of requests that arrive while the waiting wanders near 0: none, or exponential with a mean."""

    waiting_share: float  # of arrivals that wait at all
    mean_wait: float  # of those that wait, in seconds; infinite without a steady state
    over_share: float  # of arrivals over the objective


@dataclass(frozen=True, slots=True)
class Regime:
    """A number of slots under a constant load, when it has lasted."""

    rate: float  # that the slots can serve at most, per second
    drift: float  # of the waiting, per second: arrivals less what can be served
    variance: float  # of the waiting, per second, while all slots are busy
    steady: Shift
    dispersion: float  # of what all slots serve: variance by mean, with that of the arrivals as large as the waits ask for
    shape: float  # of the steady waits: their share over the objective, by what it were if they were exponential
    mean_busy_below: float  # slots busy while nobody waits
    spread_busy_below: float

    def blocked(self, limit: float) -> float:
        """Return what share of arrivals finds ``limit`` requests waiting, in a steady state; exact for M/M/c/K (Tijms 1994, section 4.5)."""
        if limit == math.inf or self.drift >= 0:
            return 0.0
        load = 1 + self.drift / self.rate
        full = self.steady.waiting_share * load ** (limit * 2 * self.rate / self.variance) if self.variance else 0.0
        return (1 - load) * full / (1 - load * full)

    def kept(self, reflected: float, elapsed: float) -> float:
        """Return how likely somebody waits, after the waiting was pushed up from 0 by ``reflected`` requests within ``elapsed`` seconds.

        Brownian motion leaves 0 at once, a queue with several slots rests there until all are busy: a sticky boundary, such that
        the steady state waits with Erlang's probability.
        """
        if self.drift >= 0 or reflected <= 0:
            return 1.0
        waiting = self.steady.waiting_share
        expected = -self.drift * elapsed
        return waiting * expected / (waiting * expected + (1 - waiting) * reflected)


class FlowWaits:
    """Waits near 0 for one service and one objective, remembered by slots and rounded load."""

    def __init__(self, service: Floats, service_scv: float, allowances: tuple[tuple[float, float], ...]) -> None:
        """Take equally likely services, and how long a request may wait: seconds with the share of requests they hold for, below 0 for never."""
        self._service, self._scv = float(service.mean()), service_scv
        self._waits = SteadyWaits(service)
        self._allowed = np.array([max(0.0, seconds) for seconds, _ in allowances])
        self._shares = np.array([share if seconds >= 0 else 0.0 for seconds, share in allowances])
        self._late = sum(share for seconds, share in allowances if seconds < 0)
        self._pairs = [(seconds, share) for seconds, share in allowances if seconds >= 0]
        self._known: dict[tuple[int, int], Regime] = {}

    def regime(self, slots: int, rate: float) -> Regime:
        """Return the steady state of so many slots, at least one, under so many arrivals per second."""
        key = (slots, round(rate * self._service / slots * _LOAD_GRAIN))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._regime(slots, key[1] / _LOAD_GRAIN)
        return known

    def over_share(self, regime: Regime, elapsed: float, ahead: float) -> float | None:
        """Return what share of the arrivals of a span is over the objective, given ``ahead`` requests in the way as it begins.

        ``None`` when one path of the waiting says it better: when it stays away from 0, or forgets soon where it began.
        """
        if ahead + regime.drift * elapsed > _SURE * math.sqrt(regime.variance * elapsed):
            return None
        if is_settled(regime, elapsed) and ahead < -_SOON * regime.drift * elapsed:
            return None
        over = sum(weight * self._over_after(regime, elapsed * node, ahead) for node, weight in _NODES)
        return self._late + over

    def between(self, regime: Regime, elapsed: float) -> Shift:
        """Return the waits of arrivals spread over a span that begins with nobody waiting; a steady state in a long one."""
        if is_settled(regime, elapsed):
            return regime.steady
        share = mean = over = 0.0
        for node, weight in _NODES:
            after = elapsed * node
            level = mean_reflected(regime.drift, regime.variance, after)
            kept = regime.kept(level - regime.drift * after, after)
            share += weight * kept
            mean += weight * kept * level
            over += weight * self._over_after(regime, after, 0.0)
        return Shift(share, mean / regime.rate / share if share > 0 else 0.0, self._late + over)

    def _over_after(self, regime: Regime, after: float, ahead: float) -> float:
        kept = regime.kept(mean_reflected(regime.drift, regime.variance, after) - regime.drift * after, after)
        over = 0.0
        for seconds, share in self._pairs:
            level = regime.rate * seconds
            first = staying(level, ahead, regime, after)
            over += share * min(1.0, first + regime.shape * kept * max(0.0, reflected_tail(level, ahead, regime, after) - first))
        return over

    def _regime(self, slots: int, load: float) -> Regime:
        rate, offered = slots / self._service, load * slots
        waiting = erlang_c(slots, offered)
        if load >= 1:
            variance = 2 * variability_of(_POISSON_SCV, self._scv) * rate
            return Regime(rate, (load - 1) * rate, variance, Shift(1.0, math.inf, 1.0), self._scv, 1.0, float(slots), 0.0)
        mean = self._waits.mean(slots, load)
        over = float(self._shares @ self._waits.tail(slots, load, self._allowed))
        exponential = float(self._shares @ np.exp(-self._allowed / mean))
        shape = over / exponential if exponential > 0 else 1.0
        below = max(0.0, offered - waiting * slots) / (1 - waiting)
        steady = Shift(waiting, mean, self._late + waiting * over)
        variability = 2 * (1 - load) * rate * mean
        return Regime(rate, (load - 1) * rate, variability * rate, steady, max(0.0, variability - load), shape, below, math.sqrt(below))


def is_settled(regime: Regime, elapsed: float) -> bool:
    """Tell whether a span is so long that nobody asks where the waiting began."""
    return regime.drift < 0 and elapsed * regime.drift**2 > _SETTLED * regime.variance


def mean_reflected(drift: float, variance: float, elapsed: float) -> float:
    """Return the mean of a Brownian motion reflected at 0 that begins there (Abate and Whitt 1987, equation 1.3, scaled)."""
    spread = math.sqrt(variance * elapsed)
    root = -drift * elapsed / spread
    if abs(root) < _FLAT:
        return spread * math.sqrt(2 / math.pi) + drift * elapsed / 2
    density = math.exp(-root * root / 2) / math.sqrt(2 * math.pi)
    return variance / (-2 * drift) * (1 - 2 * (1 + root * root) * normal_tail(root) + 2 * root * density)


def reflected_tail(level: float, begin: float, regime: Regime, elapsed: float) -> float:
    """Return how likely a Brownian motion reflected at 0 is above a level (Harrison 1985, section 1.8)."""
    spread = math.sqrt(regime.variance * elapsed)
    ahead, behind = (level - begin - regime.drift * elapsed) / spread, (level + begin + regime.drift * elapsed) / spread
    if behind > _TAIL_FROM:
        mirrored = math.exp(2 * regime.drift * level / regime.variance - behind * behind / 2) / (behind * math.sqrt(2 * math.pi))
    else:
        mirrored = math.exp(2 * regime.drift * level / regime.variance) * normal_tail(behind)
    return min(1.0, normal_tail(ahead) + mirrored)


def staying(level: float, begin: float, regime: Regime, elapsed: float) -> float:
    """Return how likely a Brownian motion is above a level and never was at 0 (Harrison 1985, section 1.8)."""
    if begin <= 0:
        return 0.0
    spread = math.sqrt(regime.variance * elapsed)
    ahead, behind = (level - begin - regime.drift * elapsed) / spread, (level + begin - regime.drift * elapsed) / spread
    if behind > _TAIL_FROM:
        return normal_tail(ahead)
    return max(0.0, normal_tail(ahead) - math.exp(-2 * regime.drift * begin / regime.variance) * normal_tail(behind))


def normal_tail(value: float) -> float:
    """Return how likely a standard normal number is above a value."""
    return math.erfc(value / math.sqrt(2)) / 2
