"""What every rule of the pipeline sees, and what a rule is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from autoscaler.decide.memory import Memory
from autoscaler.decide.settings import Pause, TypeSettings
from autoscaler.model import Adjustment, Observation


@dataclass(frozen=True, slots=True)
class Situation:
    """One process type at one tick, with its past."""

    settings: TypeSettings
    observation: Observation
    memory: Memory
    pause: Pause

    @property
    def current(self) -> int:
        """Processes the backend was last told to run, by anyone: every change is measured from here."""
        return self.observation.counts.desired

    @property
    def now(self) -> float:
        """Monotonic seconds of this tick."""
        return self.observation.now


# A rule takes the number so far and returns the adjustment it makes, None when it lets the number pass.
Rule = Callable[[Situation, int], Adjustment | None]
