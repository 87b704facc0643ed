"""Say what a process type promises: the share of its requests that must not take longer than so many seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.score.errors import ScoreError

ROUNDING_SECONDS = 1e-6  # a year in seconds leaves about eight places behind the point, so a microsecond over is not over


@dataclass(frozen=True, slots=True)
class Objective:
    """At least ``share`` of the requests wait, or are answered within, no longer than ``seconds``."""

    measure: Literal["wait", "response"]  # a response is the wait with the service
    seconds: float
    share: float = 0.99

    def __post_init__(self) -> None:
        """Refuse an objective that nothing or everything meets; raises ``ScoreError``."""
        if self.measure not in ("wait", "response"):
            raise ScoreError(f"objective measure: {self.measure!r} is unknown; write wait or response")
        if not (math.isfinite(self.seconds) and self.seconds >= 0):
            raise ScoreError(f"objective seconds: {self.seconds} is not a duration; write a number of at least 0")
        if not 0 < self.share < 1:
            raise ScoreError(f"objective share: {self.share} is not between 0 and 1, both excluded; write 0.99 for 99 % of the requests")

    def is_exceeded(self, waits: Floats, services: Floats) -> npt.NDArray[np.bool_]:
        """Return for each request whether it took longer; a microsecond of rounding is forgiven."""
        measured = waits if self.measure == "wait" else waits + services
        return measured > self.seconds + ROUNDING_SECONDS

    def __str__(self) -> str:
        """Write ``99 % wait at most 5 s``."""
        verb = "wait at most" if self.measure == "wait" else "are answered within"
        return f"{100 * self.share:g} % {verb} {self.seconds:g} s"
