"""The contract of a policy: one observation in, one recommendation out.

To add a policy, write a frozen dataclass whose fields are its configuration, give it ``recommend``, and name it under the
entry-point group ``autoscaler.policies``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from autoscaler.model import Answer, Json, Observation, Progress


class Policy(Protocol):
    """Turns an observation into a recommendation; pure, and keeps nothing in itself."""

    def recommend(self, observation: Observation, memory: Json) -> Answer:
        """Answer for one tick.

        ``memory`` is what the last answer carried, ``None`` at first. A ``MissingReadingError`` raised by
        ``observation.value`` means ``Missing``; any other exception is this policy's failure and counts as missing.
        """


class Projects(Protocol):
    """A policy whose readings change with the number of processes, such as a mean over them."""

    def projected(self, observation: Observation, processes: int) -> int:
        """Return how many processes would be wanted if the same load were read from so many (at least 1), all of them ready."""


class LeavesZero(Protocol):
    """A policy that knows better than "all my metrics have values" when it can ask for a first process."""

    def leaves_zero(self, metrics: Collection[str]) -> bool:
        """Tell whether it can want a process when none runs and only these metrics have values."""


class TellsProgress(Protocol):
    """A policy that knows how much work its type completes."""

    def progress(self, observation: Observation, memory: Json) -> Progress | None:
        """Return how the work goes, ``None`` when the readings do not say; ``memory`` is the policy's own."""
