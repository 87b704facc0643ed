"""Size a pool as Celery's ``--autoscale`` does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from autoscaler.decide.exact import brief, ceiling, exact
from autoscaler.model import Duration, Help, Json, Metric, Number, Observation, Processes, Recommendation


@dataclass(frozen=True, slots=True, kw_only=True)
class CeleryAutoscale:
    """Grow at once to the reserved requests, and shrink once the last growth is long past (``celery/worker/autoscale.py``, 5.7).

    Only growth is remembered: a pool that never grew never shrinks, and every growth begins the wait anew. A maximum or minimum
    that no longer holds the present size is applied at once, without the wait. Celery asks once a second.
    """

    reserved: Annotated[Metric, Help("requests that the worker has taken from its queue, running ones included")]
    minimum: Annotated[Processes, Help("the fewest processes")] = 0
    maximum: Annotated[int, Number(at_least=1), Help("the most processes")]
    keepalive_seconds: Annotated[Duration, Help("time since the last growth after which the pool may shrink")] = 30.0

    def recommend(self, observation: Observation, memory: Json) -> Recommendation:
        """Want what is reserved, within the limits; ``memory`` is the time of the last growth."""
        current = observation.counts.desired
        if not self.minimum <= current <= self.maximum:
            held = min(max(current, self.minimum), self.maximum)
            return Recommendation(held, f"{current} is not within {self.minimum} to {self.maximum}: {held}", memory)
        reserved = ceiling(exact(max(0.0, observation.value(self.reserved))))
        more, fewer = min(reserved, self.maximum), max(reserved, self.minimum)
        if more > current:
            return Recommendation(more, f"{reserved} reserved, at most {self.maximum}: {more}", observation.now)
        if fewer < current:
            return self._shrink(fewer, current, observation.now, memory)
        return Recommendation(current, f"{reserved} reserved: {current} stay", memory)

    def _shrink(self, fewer: int, current: int, now: float, memory: Json) -> Recommendation:
        if memory is None:
            return Recommendation(current, f"it never grew: {current} stay", memory)
        age = now - cast("float", memory)
        if age <= self.keepalive_seconds:
            return Recommendation(current, f"grew {brief(age)} s ago, not more than {brief(self.keepalive_seconds)} s: {current} stay", memory)
        return Recommendation(fewer, f"grew {brief(age)} s ago, more than {brief(self.keepalive_seconds)} s: {fewer}", memory)
