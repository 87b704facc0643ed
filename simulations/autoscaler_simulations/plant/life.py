"""How the processes of one type live: how long they take to start, and when they fail."""

from __future__ import annotations

from dataclasses import dataclass

from autoscaler_simulations.distribution import Distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From ``at_seconds`` of the simulation on, for ``for_seconds``."""

    at_seconds: float
    for_seconds: float

    @property
    def ends(self) -> float:
        """Return the second from which it is over."""
        return self.at_seconds + self.for_seconds

    def holds(self, now: float) -> bool:
        """Tell whether a moment lies in the span; its end does not."""
        return self.at_seconds <= now < self.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingStarts:
    """Within a span this share of the starts fails: before they are ready, or so many seconds after."""

    span: Span
    share: float = 1.0
    lives_seconds: float | None = None  # None: they never become ready


@dataclass(frozen=True, slots=True, kw_only=True)
class LostHost:
    """At the beginning of a span this share of the processes is gone, and nobody knows of them until it ends."""

    span: Span
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowStarts:
    """Within a span the backend starts and stops nothing until this many seconds after it was told."""

    span: Span
    delay_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """How the processes of one type live."""

    startup: Distribution
    lifetime: Distribution | None = None  # from ready to a crash; None: they do not crash
    returns_work: bool = True  # the jobs in hand of a process that dies are queued again, or else lost
    failing: tuple[FailingStarts, ...] = ()
    lost: tuple[LostHost, ...] = ()
    slow: tuple[SlowStarts, ...] = ()

    def delay(self, now: float) -> float:
        """Return how many seconds the backend lets pass before it acts on what it is told now."""
        return max((one.delay_seconds for one in self.slow if one.span.holds(now)), default=0.0)
