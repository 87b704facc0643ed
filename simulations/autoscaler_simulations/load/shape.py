"""Add up a rate that is made of straight lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoscaler_simulations.arrays import Floats

_INSTANT = 1e-9  # seconds; what lasts no longer is a jump


@dataclass(frozen=True, slots=True)
class Lines:
    """A rate that is ``rates[i]`` at ``times[i]`` and changes evenly in between; it jumps where a time stands twice.

    The first time is second 0, and the last rate lasts for ever.
    """

    times: Sequence[float]  # seconds, ascending
    rates: Sequence[float]  # requests a second

    def load(self, at: Floats) -> Floats:
        """Return the requests from second 0 to each time: the area under the lines."""
        times, rates = np.array(self.times, float), np.array(self.rates, float)
        spans = np.diff(times)
        rises = np.append(np.divide(np.diff(rates), spans, out=np.zeros_like(spans), where=spans > _INSTANT), 0.0)
        areas = np.concatenate([[0.0], np.cumsum(spans * (rates[1:] + rates[:-1]) / 2)])
        piece = np.searchsorted(times, at, side="right") - 1
        since = at - times[piece]
        area: Floats = areas[piece] + since * (rates[piece] + rises[piece] * since / 2)
        return area
