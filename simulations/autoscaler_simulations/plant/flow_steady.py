"""Give the steady waits of a queue with several slots and any service, after Tijms, Van Hoorn and Federgruen."""

from __future__ import annotations

import math

import numpy as np

from autoscaler_simulations.arrays import Floats

_CELLS = 2048  # of the grid on which waits are added up
_CELLS_A_MEAN = 48
_SPARE_GRAIN = 12.0  # spare shares are told apart to 1 part in so many of a factor of e
_LEAST_SPARE = 0.05  # share of the slots; below it the form of the waits stays, their mean grows

_NOTHING = 1e-12


class SteadyWaits:
    """Waits of those that wait at all, when arrivals are Poisson, remembered by slots and rounded load.

    All slots are taken to be one that works so many times faster, except that the first of the waits ends when the first of the jobs in
    hand does (Tijms, Van Hoorn and Federgruen 1981): a wait is the least of ``slots`` residual services, plus a geometric number of
    residual services divided by ``slots``. Exact for exponential service and for one slot; right in light and in heavy load.
    """

    def __init__(self, points: Floats) -> None:
        """Take equally likely services, ascending, in seconds."""
        before = np.concatenate([[0.0], np.cumsum(points)[:-1]])
        left = np.arange(len(points), 0, -1)
        self._at = np.concatenate([[0.0], points])
        self._ended = np.concatenate([[0.0], (before + points * left) / points.sum()])  # of residual services
        self._residual = float((points**2).sum() / points.sum()) / 2
        self._leasts: dict[int, float] = {}
        self._known: dict[tuple[int, int], tuple[float, Floats]] = {}

    def mean(self, slots: int, load: float) -> float:
        """Return the mean wait of those that wait, in seconds, at a load below 1 (Tijms 1994, section 4.4)."""
        return self._least(slots) + load / (1 - load) * self._residual / slots

    def tail(self, slots: int, load: float, seconds: Floats) -> Floats:
        """Return how many of those that wait do so longer, for several waits, at a load below 1."""
        place = -math.log(max(1 - load, _LEAST_SPARE)) * _SPARE_GRAIN
        low = math.floor(place)
        scaled = seconds / self.mean(slots, load)
        return (1 - place + low) * self._tail_at(slots, low, scaled) + (place - low) * self._tail_at(slots, low + 1, scaled)

    def _tail_at(self, slots: int, place: int, scaled: Floats) -> Floats:
        key = (slots, place)
        if key not in self._known:
            self._known[key] = self._distribution(slots, 1 - math.exp(-place / _SPARE_GRAIN))
        step, tail = self._known[key]
        tail_there: Floats = np.interp(scaled, step * np.arange(len(tail)), tail)
        return tail_there

    def _distribution(self, slots: int, load: float) -> tuple[float, Floats]:
        """Return the tail at 0, one step, two ..., with the step as a share of the mean."""
        edges = (np.arange(_CELLS) + 0.5) / _CELLS_A_MEAN * self.mean(slots, load)
        least = 1 - (1 - self._ended_by(edges)) ** slots
        others = self._ended_by(edges * slots)
        transforms = (np.fft.rfft(np.diff(each, prepend=0.0)) for each in (least, others))
        first, each = transforms
        masses = np.fft.irfft(first * (1 - load) / (1 - load * each), _CELLS)
        ends = np.clip(1 - np.cumsum(masses), 0.0, 1.0)
        tail = np.concatenate([[1.0], (ends[1:] + ends[:-1]) / 2])
        return 1 / _CELLS_A_MEAN, tail

    def _ended_by(self, seconds: Floats) -> Floats:
        ended: Floats = np.interp(seconds, self._at, self._ended)
        return ended

    def _least(self, slots: int) -> float:
        """Return the mean of the least of ``slots`` residual services, whose distribution is linear between the points."""
        known = self._leasts.get(slots)
        if known is None:
            left = 1 - self._ended
            high, low = left[:-1], left[1:]
            drop = np.maximum(high - low, _NOTHING)
            means = np.where(high - low > _NOTHING, (high ** (slots + 1) - low ** (slots + 1)) / (drop * (slots + 1)), high**slots)
            known = self._leasts[slots] = float((np.diff(self._at) * means).sum())
        return known
