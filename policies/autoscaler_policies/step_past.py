"""What a step policy remembers: when the size last changed, and the readings since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, TypedDict, cast

from autoscaler.model import Json, Observation, Reading

Stretch: TypeAlias = "list[float]"  # from, to (monotonic seconds), value: readings of one band, next to each other in time


class _Written(TypedDict):
    desired: int
    changed_at: float | None
    ready_at: float | None
    history: list[Stretch]


@dataclass(frozen=True, slots=True)
class Past:
    """The past of one process type, as of now."""

    desired: int
    changed_at: float | None  # None: no change is known
    ready_at: float | None  # None: no change is known, or it is not ready yet
    is_settled: bool  # nothing can move ready_at any more
    history: list[Stretch]  # readings of the present size, oldest first; never changed in place

    @property
    def is_ready(self) -> bool:
        """Whether the last change, if there was one, is ready."""
        return self.changed_at is None or self.ready_at is not None

    def is_before(self, reading: Reading) -> bool:
        """Tell whether the whole window of a reading lies after the last change was ready."""
        return self.ready_at is None or reading.at - reading.window_seconds > self.ready_at

    def written(self, history: list[Stretch]) -> Json:
        """Write the memory of the next tick."""
        ready_at = self.ready_at if self.is_settled else None
        return {"desired": self.desired, "changed_at": self.changed_at, "ready_at": ready_at, "history": cast("Json", history)}


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
        return Past(counts.desired, changed_at, ready_at, is_settled=True, history=known["history"])
    return _pending(observation, changed_at, known["history"])


def _changed(observation: Observation) -> Past:
    return _pending(observation, observation.now, [])


def _pending(observation: Observation, changed_at: float, history: list[Stretch]) -> Past:
    """Find out whether a change is ready: failed processes and those of a lost host are waited for no longer."""
    counts = observation.counts
    if counts.starting or counts.running + counts.failed + counts.unknown < counts.desired:
        return Past(counts.desired, changed_at, None, is_settled=False, history=[])
    ready_at = max(changed_at, observation.ready_history[-1].since) if observation.ready_history else changed_at
    return Past(counts.desired, changed_at, ready_at, is_settled=counts.running <= counts.desired, history=history)


def forget_readings(memory: Json) -> Json:
    """Keep what is known of the size: readings before a gap say nothing of the time in it."""
    return {**cast("dict[str, Json]", memory), "history": []} if memory else memory


def with_reading(history: list[Stretch], reading: Reading, *, is_like_last: bool) -> list[Stretch]:
    """Return the history with one more reading; one that lies in the band of the last lengthens its stretch."""
    if not history or reading.at < history[-1][1]:
        return [[reading.at, reading.at, reading.value]]
    if reading.at == history[-1][1]:
        return history
    if is_like_last:
        return [*history[:-1], [history[-1][0], reading.at, reading.value]]
    return [*history, [reading.at, reading.at, reading.value]]


def since(history: list[Stretch], start: float) -> list[Stretch]:
    """Forget what lies before ``start``, but for the stretch that proves that readings are known from there on."""
    first = 0
    while first + 1 < len(history) and history[first + 1][0] <= start:
        first += 1
    return history[first:] if first else history
