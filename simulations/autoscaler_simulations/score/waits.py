"""The values of a score that say how long requests took."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Percentiles:
    """The durations of many requests in seconds; each is ``None`` when there was no request."""

    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    p99_9: float | None
    maximum: float | None

    def __str__(self) -> str:
        """Write ``mean 0.1 s, p50 0 s, p95 0.4 s, p99 1.2 s, p99.9 3 s, maximum 4 s``."""
        if self.mean is None:
            return "not measured"
        names = ("mean", "p50", "p95", "p99", "p99.9", "maximum")
        values = (self.mean, self.p50, self.p95, self.p99, self.p99_9, self.maximum)
        return ", ".join(f"{name} {value:.{_digits(value)}g} s" for name, value in zip(names, values, strict=True))


def _digits(seconds: float | None) -> int:
    """Return how many digits to write: three, or all of whole seconds."""
    return max(3, len(str(int(seconds or 0.0))))


@dataclass(frozen=True, slots=True)
class Waits:
    """How long the requests of a process type took, against their objective."""

    wait: Percentiles  # of those that started
    response: Percentiles  # the wait with the service
    number: float  # judged against the objective: started, refused, or waiting at the end and already over
    over: float  # of these, over the objective

    @property
    def share(self) -> float | None:
        """Return the share over the objective, 0 to 1; ``None`` without a request."""
        return self.over / self.number if self.number else None
