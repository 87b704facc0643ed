"""Metric sources that read a simulated process type as live ones would: polled, averaged over windows, late, absent."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from autoscaler.model import Reading
from autoscaler.observe.source import Poll, SourceError
from autoscaler_simulations.engine.sample import AVERAGES, RATES, WORK, Kind, Sample, take_sample, value_of
from autoscaler_simulations.plant.life import Span
from autoscaler_simulations.plant.plant import Plant

__all__ = ["Kind", "LateMetric", "Measure", "MetricOutage", "PlantSource"]

_SLACK = 1e-6  # seconds by which sums of intervals may be off


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What a metric of the configuration says of a simulated process type.

    Rates compare two samples, which are taken when the metric is polled: ``window_seconds`` apart or a little more, and less at the
    beginning; 0 stands for the last two. Counts, such as ``waiting``, are momentary at 0, and averages over a longer window.
    ``delay_seconds`` is how old the newest sample is at least.
    """

    kind: Kind
    process_type: str
    window_seconds: float = 0.0
    delay_seconds: float = 0.0
    each_process: bool = False  # asked of every ready process; absent without one


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricOutage:
    """Within a span a metric has no value."""

    metric: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class LateMetric:
    """Within a span the samples of a metric are this much older."""

    metric: str
    span: Span
    delay_seconds: float


class PlantSource:
    """The source of one metric; it sees the plant only when it is polled, and remembers as much as its window and delay need."""

    def __init__(self, measure: Measure, plant: Plant, faults: tuple[MetricOutage | LateMetric, ...]) -> None:
        """Measure a plant, which is advanced to the time of each poll before; ``faults`` are those of this metric."""
        self._measure = measure
        self._plant = plant
        self._outages = tuple(fault.span for fault in faults if isinstance(fault, MetricOutage))
        self._late = tuple(fault for fault in faults if isinstance(fault, LateMetric))
        self._samples: deque[Sample] = deque()
        self._longest = measure.delay_seconds + sum(fault.delay_seconds for fault in self._late) + measure.window_seconds
        self._is_compared = measure.kind in RATES or measure.window_seconds > 0

    def read(self, poll: Poll) -> Reading:
        """Return the newest value; raise ``SourceError`` within an outage and where a live source would have none."""
        is_away = any(span.holds(self._plant.now) for span in self._outages)
        # What averages over a window has a server behind it, which goes on to take samples.
        if not is_away or self._measure.window_seconds > 0:
            self._look()
        if is_away:
            raise SourceError("no answer: the metric is away in this simulation")
        newest = self._newest()
        before = self._before(newest) if self._is_compared else None
        value = value_of(self._measure.kind, before, newest)
        age, window = self._plant.now - newest.tally.at, newest.tally.at - before.tally.at if before else 0.0
        if not self._measure.each_process:
            return poll.reading(value, age_seconds=age, window_seconds=window)
        total, by_process = self._split(value, before, newest)
        return poll.reading(total, age_seconds=age, window_seconds=window, by_process=by_process)

    def _look(self) -> None:
        """Take a sample now, and forget those that nothing needs any more."""
        samples = self._samples
        samples.append(take_sample(self._plant, with_names=self._measure.each_process))
        horizon = self._plant.now - self._longest + _SLACK
        # The newest one at the horizon, and the one before it: a rate without a window needs both.
        while len(samples) > 2 and samples[2].tally.at <= horizon:  # noqa: PLR2004 - see above
            samples.popleft()

    def _newest(self) -> Sample:
        """Return the newest sample that has arrived by now."""
        delay = self._measure.delay_seconds + sum(fault.delay_seconds for fault in self._late if fault.span.holds(self._plant.now))
        for sample in reversed(self._samples):
            if sample.tally.at <= self._plant.now - delay + _SLACK:
                return sample
        raise SourceError("the first sample has not arrived")

    def _before(self, newest: Sample) -> Sample | None:
        """Return the sample at the beginning of the window, the oldest one when none is so old, the one before when there is no window."""
        at = newest.tally.at - self._measure.window_seconds + _SLACK
        found: Sample | None = None
        for sample in self._samples:
            if sample.tally.at >= newest.tally.at - _SLACK or (found is not None and sample.tally.at > at):
                break
            found = sample
        return found

    def _split(self, value: float, before: Sample | None, newest: Sample) -> tuple[float, dict[str, float]]:
        """Split a value evenly among the processes that could be asked, and add up what they say; one that is new has no rate yet."""
        if not newest.running:
            raise SourceError(f"no process of {self._measure.process_type} is ready")
        asked = newest.running & before.running if before else newest.running
        if not asked:
            raise SourceError("first sample of a counter; a rate needs two")
        is_average = self._measure.kind in AVERAGES
        sharers = newest.ready if self._measure.kind in WORK else len(newest.running)
        each = value if is_average else value / sharers
        return (value if is_average else each * len(asked)), dict.fromkeys(sorted(asked), each)
