"""The contract of a distribution of durations: how long work takes, or a process to start."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from autoscaler_simulations.arrays import Floats


class Distribution(Protocol):
    """A random duration, in seconds; the same generator in the same state always draws the same."""

    @property
    def mean(self) -> float:
        """Return the mean in seconds."""

    @property
    def scv(self) -> float:
        """Return the squared coefficient of variation: variance over squared mean."""

    def draw(self, chance: np.random.Generator, number: int) -> Floats:
        """Draw independent durations, none below 0."""

    def points(self, number: int) -> Floats:
        """Return ``number`` equally likely values, ascending, that stand for the whole: the quantiles at (i + 1/2) / number."""
