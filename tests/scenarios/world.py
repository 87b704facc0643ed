"""A process type with real policies, whose processes take their time to start, on virtual time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autoscaler.decide.memory import Memory
from autoscaler.decide.pipeline import decide
from autoscaler.decide.settings import TypeSettings
from autoscaler.model import Counts, Decision, Observation, Reading


@dataclass
class World:
    """One type; a process that is asked for is ready ``startup`` seconds later, one that leaves is gone at once."""

    settings: TypeSettings
    desired: int
    startup: float = 0.0
    now: float = 0.0
    memory: Memory = field(default_factory=Memory)
    ready_at: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ready_at = [0.0] * self.desired

    @property
    def running(self) -> int:
        return sum(ready <= self.now for ready in self.ready_at)

    def tick(self, values: Mapping[str, float | Reading | str], after: float | None = None) -> Decision:
        """Take one tick with these readings: a text is why there is none, a number is as fresh as can be."""
        self.now += self.settings.process_type.interval_seconds if after is None else after
        readings = {name: self._reading(name, value) for name, value in values.items() if not isinstance(value, str)}
        missing = {name: value for name, value in values.items() if isinstance(value, str)}
        counts = Counts(self.desired, running=self.running, starting=self.desired - self.running)
        observation = Observation(self.now, 1e9 + self.now, self.settings.process_type, counts, readings, missing, startup_seconds=self.startup)
        decision, self.memory = decide(self.settings, observation, self.memory)
        self._scale(decision.target)
        return decision

    def _reading(self, name: str, value: float | Reading) -> Reading:
        return value if isinstance(value, Reading) else Reading(name, float(value), at=self.now)

    def _scale(self, target: int) -> None:
        self.ready_at += [self.now + self.startup] * (target - self.desired)
        del self.ready_at[target:]
        self.desired = target
