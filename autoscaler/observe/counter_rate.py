"""Turn two samples of a counter into a rate, whatever restarted in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autoscaler.observe.exposition import Labels
from autoscaler.observe.source import SourceError


@dataclass(frozen=True, slots=True)
class Counted:
    """The value of every series of a counter at one time, in monotonic seconds."""

    at: float
    values: Mapping[Labels, float]


def rates(before: Counted, after: Counted) -> list[float]:
    """Return the increase per second of each series that both samples hold; never negative.

    A value below the last one means that the counter began again at 0, as Prometheus' ``rate`` takes it. A series that
    appeared counts from its next sample on, since what it was before is unknown; one that disappeared counts no longer.
    Raises ``SourceError`` when no time has passed or no series is in both.
    """
    seconds = after.at - before.at
    if seconds <= 0:
        raise SourceError("the counter has no newer sample than at the last poll")
    known = [(before.values[labels], value) for labels, value in after.values.items() if labels in before.values]
    if not known:
        raise SourceError("every series of the counter is new; a rate needs two samples of one")
    return [_increase(earlier, later) / seconds for earlier, later in known]


def _increase(before: float, after: float) -> float:
    return max(0.0, after if after < before else after - before)
