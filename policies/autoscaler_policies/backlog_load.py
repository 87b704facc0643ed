"""Measure the load of a queue from its readings: jobs that arrive a second, and the time one job takes."""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import NamedTuple, TypeAlias, cast

from autoscaler.decide.exact import exact
from autoscaler.model import Json

_PARTS = 12  # a measured span is kept in so many samples, however short the interval

Samples: TypeAlias = list[list[float]]  # [monotonic seconds, jobs that wait or are worked on], oldest first
Memory: TypeAlias = dict[str, Json]


class Growth(NamedTuple):
    """How the jobs that wait or are worked on changed over a span of ``seconds``."""

    jobs: Fraction
    seconds: Fraction

    @property
    def per_second(self) -> Fraction:
        """Jobs that were added a second, negative when more were finished; 0 before there is a span."""
        return self.jobs / self.seconds if self.seconds > 0 else Fraction(0)


def samples_of(memory: Json) -> Samples:
    """Return the samples a memory holds."""
    kept = memory.get("jobs") if isinstance(memory, dict) else None
    return cast("Samples", kept or [])


def add_sample(samples: Samples, at: float, jobs: float, span_seconds: float) -> Samples:
    """Add a sample unless the last one is young, and forget what the span no longer needs; one sample as old as it stays."""
    if samples and at - samples[-1][0] < span_seconds / _PARTS:
        return samples
    kept = [sample for sample in samples if at - sample[0] <= 2 * span_seconds]
    while len(kept) > 1 and at - kept[1][0] >= span_seconds:
        kept = kept[1:]
    return [*kept, [at, jobs]]


def growth(samples: Samples, at: float, jobs: float) -> Growth:
    """Compare the jobs now with the oldest sample."""
    if not samples:
        return Growth(Fraction(0), Fraction(0))
    then, before = samples[0]
    return Growth(exact(jobs) - exact(before), exact(at) - exact(then))


def job_time(busy: float, completed_per_second: float, memory: Memory) -> float | None:
    """Return the seconds one job takes, by Little's law (1961): jobs worked on / jobs completed a second; else the last known."""
    measured = finite(exact(busy) / exact(completed_per_second)) if busy > 0 and completed_per_second > 0 else 0.0
    return measured or cast("float | None", memory.get("job_seconds"))


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
