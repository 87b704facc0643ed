"""What is known of a metric before it is first read: its source and its times."""

from __future__ import annotations

from dataclasses import dataclass

from autoscaler.observe.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSettings:
    """One entry of ``metrics:``."""

    name: str
    source: Source
    every_seconds: float = 5.0
    max_age_seconds: float | None = None  # None: three times ``every``, at least 15 s
    timeout_seconds: float | None = None  # None: ``every``, at least 1 s and at most 10 s
    window_seconds: float = 0.0  # the span the source averages over, as the user says it
    alive: str | None = None  # a query that must not answer 0 or nothing

    @property
    def max_age(self) -> float:
        """Seconds after which a reading is missing."""
        return max(15.0, 3 * self.every_seconds) if self.max_age_seconds is None else self.max_age_seconds

    @property
    def timeout(self) -> float:
        """Seconds after which a poll without an answer has failed."""
        return min(10.0, max(1.0, self.every_seconds)) if self.timeout_seconds is None else self.timeout_seconds
