"""Size a cluster as Dask's ``Adaptive`` does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from autoscaler.decide.exact import ceiling, exact
from autoscaler.model import Duration, Help, Json, Metric, Number, Observation, Processes, Recommendation


@dataclass(frozen=True, slots=True, kw_only=True)
class DaskAdaptive:
    """Grow to the target at once, and close a process that ``wait_count`` readings in a row can do without.

    After ``AdaptiveCore`` of dask/distributed (``distributed/deploy/adaptive_core.py``, 2026.8.0), which asks once a second and
    counts for each process; a reading at or above the present size forgets every count. Those not ready yet are closed first,
    then the newest, so that the counts of the newest are never the lower ones.

    The target is read, or computed from the seconds of work that are there, as its scheduler does: ``occupancy / target_duration``
    cores, no more than ``tasks``, over the slots of a process.
    """

    target: Annotated[Metric | None, Help("processes that are wanted")] = None
    occupancy: Annotated[Metric | None, Help("seconds of work that wait or are worked on, in place of target")] = None
    tasks: Annotated[Metric | None, Help("tasks that could run now; no more cores than these are wanted")] = None
    target_duration_seconds: Annotated[Duration, Help("time in which the work should be done")] = 5.0
    minimum: Annotated[Processes, Help("the fewest processes")] = 0
    maximum: Annotated[int, Number(at_least=1), Help("the most processes")]
    wait_count: Annotated[int, Number(at_least=1), Help("readings in a row after which a process is closed")] = 3

    def __post_init__(self) -> None:
        """Raise ``ValueError`` unless the target is either read or computed."""
        if (self.target is None) == (self.occupancy is None):
            raise ValueError("give either target or occupancy")

    def recommend(self, observation: Observation, memory: Json) -> Recommendation:
        """Want the target when it is more, else close what was counted often enough."""
        current = observation.counts.desired
        target = self.safe_target(observation)
        if target >= current:
            return Recommendation(target, f"the target is {target}")
        counts = _count(target, current, memory)
        kept = [count for count in counts if count < self.wait_count]
        size = target + len(kept)
        said = f"the target is {target}: {len(counts)} could be closed, {current - size} for {self.wait_count} readings"
        return Recommendation(size, said, {"from": target, "counts": cast("list[Json]", kept)} if kept else None)

    def safe_target(self, observation: Observation) -> int:
        """Return the target within the limits."""
        return min(max(self._target(observation), self.minimum), self.maximum)

    def _target(self, observation: Observation) -> int:
        if self.target is not None:
            return ceiling(exact(max(0.0, observation.value(self.target))))
        occupancy = exact(max(0.0, observation.value(self.occupancy or "")))
        cores = ceiling(occupancy / exact(self.target_duration_seconds))
        if self.tasks is not None:
            cores = min(cores, ceiling(exact(max(0.0, observation.value(self.tasks)))))
        return -(-cores // observation.process_type.slots)


def _count(target: int, current: int, memory: Json) -> list[int]:
    """Count once more for each process above the target, the oldest first; those below it are forgotten."""
    seen = cast("dict[str, Json]", memory or {"from": current, "counts": []})
    first, counts = cast("int", seen["from"]), cast("list[int]", seen["counts"])
    places = range(target, current)
    return [1 + (counts[place - first] if 0 <= place - first < len(counts) else 0) for place in places]
