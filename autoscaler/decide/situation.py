"""What every rule of the pipeline sees, and what a rule is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from autoscaler.decide.asking import DIRECTLY, Asking
from autoscaler.decide.memory import Memory
from autoscaler.decide.settings import Pause, TypeSettings
from autoscaler.model import Adjustment, Observation, PolicyAnswer


@dataclass(frozen=True, slots=True)
class Bounds:
    """The fewest and the most processes at this moment, where it is not the configuration alone that says so."""

    minimum: int
    maximum: int  # growth ends here; what runs beyond it scales in through the limits
    hard_maximum: int  # what runs beyond it goes at once
    minimum_reason: str = ""
    maximum_reason: str = ""
    minimum_rule: str = "schedule"


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most processes that there is room for: not even the minimum goes beyond it."""

    processes: int
    rule: str
    reason: str
    is_exceeded: bool = False  # more run already than there should


@dataclass(frozen=True, slots=True)
class Situation:
    """One process type at one tick, with its past."""

    settings: TypeSettings
    observation: Observation
    memory: Memory
    pause: Pause
    answers: tuple[PolicyAnswer, ...] = ()
    bounds: Bounds | None = None  # None: those of the configuration
    ceiling: Ceiling | None = None
    asking: Asking = DIRECTLY

    @property
    def current(self) -> int:
        """Processes the backend was last told to run, by anyone: every change is measured from here."""
        return self.observation.counts.desired

    @property
    def now(self) -> float:
        """Monotonic seconds of this tick."""
        return self.observation.now

    @property
    def minimum(self) -> int:
        """The fewest processes at this moment."""
        return self.bounds.minimum if self.bounds else self.settings.process_type.minimum

    @property
    def maximum(self) -> int:
        """The most processes at this moment."""
        return self.bounds.maximum if self.bounds else self.settings.process_type.maximum


# A rule takes the number so far and returns the adjustment it makes, None when it lets the number pass.
Rule = Callable[[Situation, int], Adjustment | None]
