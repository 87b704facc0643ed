"""Measure the load of a queue from its readings: jobs that arrive a second, and the time one job takes."""

from __future__ import annotations

import sys
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple, TypeAlias, cast

from autoscaler.decide.exact import exact
from autoscaler.model import Json, Observation

_LITTLE = 10  # a change of the ready processes by no more than one in so many does not matter
_PARTS = 12  # a measured span is kept in so many samples, however short the interval

Samples: TypeAlias = list[list[float]]  # [monotonic seconds, jobs], oldest first
Memory: TypeAlias = dict[str, Json]


class Growth(NamedTuple):
    """How the jobs that wait or are worked on changed over a span of ``seconds``."""

    jobs: Fraction
    seconds: Fraction

    @property
    def per_second(self) -> Fraction:
        """Jobs that were added a second, negative when more were finished; 0 before there is a span."""
        return self.jobs / self.seconds if self.seconds > 0 else Fraction(0)


def samples_of(memory: Json, key: str = "jobs") -> Samples:
    """Return the samples a memory holds."""
    kept = memory.get(key) if isinstance(memory, dict) else None
    return cast("Samples", kept or [])


def add_sample(samples: Samples, at: float, jobs: float, span_seconds: float) -> Samples:
    """Add a sample unless the last one is young, and forget what the span no longer needs; one sample as old as it stays."""
    if samples and at - samples[-1][0] < span_seconds / _PARTS:
        return samples
    kept = [sample for sample in samples if at - sample[0] <= 2 * span_seconds]
    while len(kept) > 1 and at - kept[1][0] >= span_seconds:
        kept = kept[1:]
    return [*kept, [at, jobs]]


def growth(samples: Samples, at: float, jobs: float, span_seconds: float) -> Growth:
    """Compare the jobs now with those of a span ago, or with the oldest sample if that is younger.

    A sample younger than a twelfth of the span says nothing; between two samples the jobs are taken to have changed evenly.
    """
    if not samples or at - samples[0][0] < span_seconds / _PARTS:
        return Growth(Fraction(0), Fraction(0))
    points, begin = [*samples, [at, jobs]], at - span_seconds
    later = next((index for index, point in enumerate(points) if point[0] > begin), 0)
    if later == 0:
        return Growth(exact(jobs) - exact(samples[0][1]), exact(at) - exact(samples[0][0]))
    (start, before), (end, after) = points[later - 1 : later + 1]
    grown = exact(jobs) - exact(before)
    if start < begin and before != after:
        grown -= (exact(after) - exact(before)) * (exact(begin) - exact(start)) / (exact(end) - exact(start))
    return Growth(grown, exact(span_seconds))


def mean(samples: Samples, at: float, value: float, span_seconds: float) -> float:
    """Average a value over the last ``span_seconds``, or since the oldest sample; between two samples it is taken to have changed evenly."""
    recent = [sample for sample in samples if at - sample[0] <= 2 * span_seconds]  # beyond, nothing is known of the time between
    points, begin, added = [*recent, [at, value]], at - span_seconds, 0.0
    # Differences from the newest value are added, so that what did not change is its own mean to the last digit.
    for (start, before), (end, after) in pairwise(points):
        if begin < end:
            kink = before if start >= begin else before + (after - before) * (begin - start) / (end - start)
            added += (end - max(start, begin)) * (kink / 2 + after / 2 - value)
    seconds = at - max(begin, points[0][0])
    return value + added / seconds if seconds > 0 else value


def is_steady(observation: Observation, metric: str, seconds: float) -> bool:
    """Tell whether, for so long before the reading of a metric, about as many processes were ready as now.

    Else a count of this moment would be set against a rate of before, and the time of a job would read as many times too long.
    """
    since = _steady_since(observation)
    return since is None or observation.reading(metric).at - seconds >= since


def _steady_since(observation: Observation) -> float | None:
    """Return when the number of ready processes last changed by more than a tenth; ``None`` when it did not."""
    since, history = None, observation.ready_history
    for count in reversed(history):
        if abs(count.running - history[-1].running) * _LITTLE > history[-1].running:
            return since
        since = count.since
    return None


def job_time(busy: float, completed_per_second: float) -> float | None:
    """Return the seconds one job takes, by Little's law (1961): jobs worked on / jobs completed a second; ``None``: it cannot be told."""
    if busy <= 0 or completed_per_second <= 0:
        return None
    return finite(exact(busy) / exact(completed_per_second)) or None


def last_active(memory: Memory) -> float | None:
    """Return when there was something to do last, in monotonic seconds."""
    return cast("float | None", memory.get("active_at"))


def sum_of(waiting: float, busy: float) -> float:
    """Add two counts of jobs; the sum of two huge ones stays a finite float."""
    return min(waiting + busy, sys.float_info.max)


def finite(value: Fraction) -> float:
    """Return the nearest finite float."""
    try:
        return float(value)
    except OverflowError:
        return sys.float_info.max if value > 0 else -sys.float_info.max
