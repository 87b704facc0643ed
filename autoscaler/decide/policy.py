"""The contract of a policy: one observation in, one recommendation out.

To add a policy, write a frozen dataclass whose fields are its configuration, give it ``recommend``, and name it under the
entry-point group ``autoscaler.policies``.
"""

from __future__ import annotations

from typing import Protocol

from autoscaler.model import Answer, Json, Observation


class Policy(Protocol):
    """Turns an observation into a recommendation; pure, and keeps nothing in itself."""

    def recommend(self, observation: Observation, memory: Json) -> Answer:
        """Answer for one tick.

        ``memory`` is what the last answer carried, ``None`` at first. A ``MissingReadingError`` raised by
        ``observation.value`` means ``Missing``; any other exception is this policy's failure and counts as missing.
        """
