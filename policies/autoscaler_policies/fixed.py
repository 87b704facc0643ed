"""Keep a set number of processes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated

from autoscaler.model import Help, Json, Observation, Processes, Recommendation


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """Want the same number of processes on every tick, whatever is read."""

    processes: Annotated[Processes, Help("processes to keep")]

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for fewer than 0 processes."""
        if self.processes < 0:
            raise ValueError(f"processes is {self.processes}, and there are no fewer than none; give 0 or more")

    def leaves_zero(self, metrics: Collection[str]) -> bool:  # noqa: ARG002 - the contract's; it reads nothing
        """Tell whether it wants a process at all."""
        return self.processes > 0

    def recommend(self, observation: Observation, memory: Json) -> Recommendation:  # noqa: ARG002 - the contract's; nothing is read or remembered
        """Want the set number."""
        return Recommendation(self.processes, f"fixed: {self.processes}")
