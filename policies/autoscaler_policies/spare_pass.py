"""What one pass over the spare processes sees, and the step it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from autoscaler.model import Counts, Observation

State: TypeAlias = dict[str, Any]  # Any: JSON whose shape each rule knows, as it wrote it


@dataclass(frozen=True, slots=True)
class Seen:
    """One pass: counts of processes, and of connections that wait."""

    now: float
    total: int  # that are there, or asked for and coming
    busy: int  # at most all
    starting: int
    minimum: int
    maximum: int
    listening: int = 0  # connections that wait in the listen queue

    @property
    def idle(self) -> int:
        """Count the processes that are not busy; starting ones are among them, so that none is asked for twice."""
        return self.total - self.busy

    @property
    def room(self) -> int:
        """Count the processes that may still be added."""
        return max(0, self.maximum - self.total)

    def __str__(self) -> str:
        """Write ``4 of 7 busy, 3 idle (2 starting)``."""
        return f"{self.busy} of {self.total} busy, {self.idle} idle{f' ({self.starting} starting)' if self.starting else ''}"


@dataclass(frozen=True, slots=True)
class Step:
    """So many processes more or fewer, why, and the state after it; ``refused`` is the state when the size does not follow."""

    change: int
    said: str
    then: State
    refused: State | None = None  # None: the same as ``then``


class Rule(Protocol):
    """How one process manager keeps its spare processes."""

    def step(self, seen: Seen, state: State) -> Step:
        """Take one pass; ``state`` is empty at first."""


def see(observation: Observation, busy: str | None, listening: str | None) -> Seen:
    """Read the counts of one pass; raises ``MissingReadingError`` for a metric without a reading."""
    total = _total(observation.counts)
    return Seen(
        observation.now,
        total,
        min(total, math.ceil(observation.amount(busy).value)) if busy else 0,
        observation.counts.starting,
        observation.process_type.minimum,
        observation.process_type.maximum,
        max(math.ceil(observation.amount(listening).value) if listening else 0, int(observation.is_called)),
    )


def _total(counts: Counts) -> int:
    """Count the processes that are there, and those that were asked for and are neither there nor failing."""
    coming = counts.desired - counts.failed - counts.unknown
    return min(counts.desired, max(counts.capacity, coming))
