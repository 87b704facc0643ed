"""What a step policy remembers: when the size last changed, and the readings since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict, cast

from autoscaler.model import Json, Observation, Reading
from autoscaler_policies.step_counts import Counted
from autoscaler_policies.step_runs import Run


class _Written(TypedDict):
    desired: int
    changed_at: float | None
    ready_at: float | None
    history: list[Run]
    counted: Counted | None


@dataclass(frozen=True, slots=True)
class Past:
    """The past of one process type, as of now."""

    desired: int
    changed_at: float | None  # None: no change is known
    ready_at: float | None  # None: no change is known, or it is not ready yet
    is_settled: bool  # nothing can move ready_at any more
    history: list[Run]  # readings of the present size, oldest first; never changed in place
    counted: Counted | None = None  # the same, of a policy that counts them

    @property
    def is_ready(self) -> bool:
        """Whether the last change, if there was one, is ready."""
        return self.changed_at is None or self.ready_at is not None

    def is_before(self, reading: Reading) -> bool:
        """Tell whether the whole window of a reading lies after the last change was ready."""
        return self.ready_at is None or reading.at - reading.window_seconds > self.ready_at

    def written(self, history: list[Run], counted: Counted | None) -> Json:
        """Write the memory of the next tick."""
        ready_at = self.ready_at if self.is_settled else None
        memory: _Written = {"desired": self.desired, "changed_at": self.changed_at, "ready_at": ready_at, "history": history, "counted": counted}
        return cast("Json", memory)


def recall(observation: Observation, memory: Json) -> Past:
    """Bring the memory up to an observation: whether somebody changed the size, and whether that change is ready."""
    counts = observation.counts
    known: _Written | None = cast("_Written | None", memory)
    if known is None:
        # Processes that start tell of a change just before this policy began.
        return _changed(observation) if counts.starting else Past(counts.desired, None, None, is_settled=True, history=[])
    if known["desired"] != counts.desired:
        return _changed(observation)
    changed_at, ready_at = known["changed_at"], known["ready_at"]
    if changed_at is None or ready_at is not None:
        return Past(counts.desired, changed_at, ready_at, is_settled=True, history=known["history"], counted=known["counted"])
    return _pending(observation, changed_at, known["history"], known["counted"])


def _changed(observation: Observation) -> Past:
    return _pending(observation, observation.now, [], None)


def _pending(observation: Observation, changed_at: float, history: list[Run], counted: Counted | None) -> Past:
    """Find out whether a change is ready: failed processes, those of a lost host and those that never start are not waited for."""
    counts = observation.counts
    given_up_at = changed_at + observation.process_type.start_timeout_seconds
    is_lacking = counts.running + counts.failed + counts.unknown < counts.desired
    if counts.starting or (is_lacking and observation.now < given_up_at):
        return Past(counts.desired, changed_at, None, is_settled=False, history=[])
    if is_lacking:
        return Past(counts.desired, changed_at, given_up_at, is_settled=True, history=history, counted=counted)
    ready_at = max(changed_at, observation.ready_history[-1].since) if observation.ready_history else changed_at
    return Past(counts.desired, changed_at, ready_at, is_settled=counts.running <= counts.desired, history=history, counted=counted)


def forget_readings(memory: Json) -> Json:
    """Keep what is known of the size: readings before a gap say nothing of the time in it."""
    return {**cast("dict[str, Json]", memory), "history": [], "counted": None} if memory else memory
