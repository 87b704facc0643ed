"""Say how long people waited: the median and the 95th percentile."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waits:
    """Two percentiles in seconds; ``None`` when nothing was measured."""

    p50: float | None
    p95: float | None

    def __str__(self) -> str:
        """Write ``p50 0.12 s, p95 0.48 s``."""
        if self.p50 is None or self.p95 is None:
            return "not measured"
        return f"p50 {self.p50:.2f} s, p95 {self.p95:.2f} s"


def waits_of(seconds: Sequence[float]) -> Waits:
    """Take the percentiles by nearest rank: each is a wait that somebody had."""
    if not seconds:
        return Waits(None, None)
    ordered = sorted(seconds)
    return Waits(_percentile(ordered, 50), _percentile(ordered, 95))


def _percentile(ordered: Sequence[float], percent: int) -> float:
    return round(ordered[math.ceil(len(ordered) * percent / 100) - 1], 6)
