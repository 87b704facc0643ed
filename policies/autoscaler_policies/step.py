"""Change the size by steps while a reading lies in a band."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Annotated, Literal

from autoscaler.decide.exact import brief, exact, tenths
from autoscaler.model import DurationOrZero, Help, Json, Metric, Missing, MissingReadingError, Number, Observation, Reading, Recommendation
from autoscaler_policies.step_bands import Band, Rounding, changed, check_bands, open_ends, written
from autoscaler_policies.step_counts import Counted, counting
from autoscaler_policies.step_past import Past, forget_readings, recall
from autoscaler_policies.step_runs import Run, joined_in_number, joined_in_time, last, since, with_reading

_SHORTEST_INTERVAL = 0.1  # seconds between two ticks
_LARGEST = 2**1023  # a float holds every number below


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Scale out or in by a step while a reading lies in a band, after AWS step scaling (2016), Cloud Foundry and Nomad's threshold.

    A reading in no band holds the size. How long a reading must lie in a band:

    - by default, the newest reading acts at once;
    - ``for``: every reading of that time calls for a change in one direction, and a reading as old as that time is known. The
      mildest of these changes is made;
    - ``readings``: the last so many readings do;
    - ``for`` and ``readings``: at least so many readings of that time do, as Nomad's ``within_bounds_trigger``; the mildest change
      that so many of them call for, or exceed, is made. Scale-out wins over scale-in.

    One step is made for each reading: after a change of the size, by anyone, only readings whose whole window lies after it was
    ready count. A step that is refused is repeated, not added up. After a time longer than ``for`` without a reading, it begins anew.
    Where more than 60 readings come in that time, those of a sixtieth are kept together, so that a change may come as much later.
    """

    metric: Annotated[Metric, Help("the reading that is compared with the bands")]
    bands: Annotated[tuple[Band, ...], Help("ranges of the reading and the change each calls for")]
    for_seconds: Annotated[DurationOrZero, Help("time that readings must call for a change")] = 0.0
    readings: Annotated[int | None, Number(at_least=1), Help("readings that must call for a change, instead of all within for")] = None
    rounding: Annotated[Rounding, Help("of percentages: down (AWS), up (Nomad) or nearest (Cloud Foundry)")] = "down"
    reading_is: Annotated[Literal["mean", "total"], Help("mean: falls as processes are added; total: stays")] = "mean"

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for bands that overlap or leave a gap, and for a trigger below 1."""
        check_bands(self.bands)
        if self.for_seconds < 0 or (self.readings is not None and self.readings < 1):
            raise ValueError(f"for is {self.for_seconds:g} s and readings is {self.readings}; give a time of 0 or more, and at least 1 reading")

    def warnings(self) -> tuple[str, ...]:
        """Say what works, and may surprise."""
        found = open_ends(self.bands)
        if self.for_seconds and self.readings and self.readings > self.for_seconds / _SHORTEST_INTERVAL + 1:
            said = f"{self.readings} readings never come in {brief(self.for_seconds)} s"
            return (*found, f"{said}: the shortest interval is {_SHORTEST_INTERVAL:g} s; lower readings")
        return found

    def leaves_zero(self, metrics: Collection[str]) -> bool:
        """Tell whether a first process can be wanted: by a band that scales out."""
        return self.metric in metrics and any(changed(band, 0, self.rounding) > 0 for band in self.bands)

    def recommend(self, observation: Observation, memory: Json) -> Recommendation | Missing:
        """Want the size that the bands make of the present one."""
        try:
            reading = observation.reading(self.metric)
        except MissingReadingError as missing:
            return Missing(missing.metric, missing.cause, forget_readings(memory))
        past = recall(observation, memory)
        if not past.is_ready:
            return self._wait(past, f"{observation.counts.running} of {past.desired} run after the last change")
        if not past.is_before(reading):
            return self._wait(past, f"{self._said(reading)} is from before the last change was ready, {self._ago(observation, past)}")
        history, counted = self._readings(past, reading)
        size, reason = self._decide(reading, history, counted, past.desired)
        return Recommendation(size, reason, past.written(history, counted))

    def calls_for(self, value: float, size: int) -> int:
        """Return the size that one reading calls for at a size, whatever was before; outside every band it is ``size``."""
        return self._makes(self._band(value), size)

    def projected(self, observation: Observation, processes: int) -> int:
        """Return the size that the same load would call for with so many processes, after Azure autoscale's check against flapping.

        A mean of ``n`` processes becomes reading x n / processes; a total stays what it is. Raises ``MissingReadingError``.
        """
        value = observation.value(self.metric)
        if self.reading_is == "mean":
            load = exact(value) * observation.processes_behind(self.metric)
            mean = load / max(1, processes)
            value = float(mean) if abs(mean) < _LARGEST else math.copysign(math.inf, value)
        return self.calls_for(value, processes)

    def _band(self, value: float | None) -> Band | None:
        if value is not None:
            for band in self.bands:
                if band.holds(value):
                    return band
        return None

    def _is_like(self, value: float | None, other: float) -> bool:
        return self._band(value) is self._band(other)

    def _wait(self, past: Past, said: str) -> Recommendation:
        return Recommendation(past.desired, f"{said}: {past.desired} stay", past.written([], None))

    def _said(self, reading: Reading) -> str:
        return f"{self.metric} {brief(reading.value)}"

    def _ago(self, observation: Observation, past: Past) -> str:
        return f"{tenths(max(0.0, observation.now - (past.ready_at or 0.0)))} s ago"

    def _readings(self, past: Past, reading: Reading) -> tuple[list[Run], Counted | None]:
        """Add a reading to those that the answer depends on."""
        if self.for_seconds == 0 and self.readings is None:
            return [], None
        if self.for_seconds and self.readings:
            return [], counting(past.counted, reading, self.for_seconds, self._is_like)
        longer = with_reading(past.history, reading, self._is_like, self.for_seconds or math.inf)
        milder = partial(self._milder, past.desired)
        if self.readings:
            return last(joined_in_number(longer, self.readings, milder), self.readings), None
        return since(joined_in_time(longer, self.for_seconds, milder), reading.at - self.for_seconds), None

    def _milder(self, size: int, one: float | None, other: float | None) -> float | None:
        """Choose the reading that calls for less; ``None`` when one calls for more and the other for fewer."""
        by_one, by_other = (self._makes(self._band(value), size) - size for value in (one, other))
        if by_one * by_other < 0:
            return None
        return one if abs(by_one) <= abs(by_other) else other

    def _decide(self, reading: Reading, history: list[Run], counted: Counted | None, size: int) -> tuple[int, str]:
        if counted is not None:
            return self._count(reading, dict(zip(counted["values"], counted["totals"], strict=True)), size)
        if self.readings is not None:
            return self._count(reading, _totals(history), size)
        called = self.calls_for(reading.value, size)
        if self.for_seconds == 0 or called == size:
            return self._say(self._said(reading), self._band(reading.value), size)
        return self._sustained(reading, history, called, size)

    def _sustained(self, reading: Reading, history: list[Run], called: int, size: int) -> tuple[int, str]:
        """Make the mildest change that all readings of the time call for."""
        said, span, known = self._said(reading), f"{brief(self.for_seconds)} s", reading.at - history[0][0]
        if known < self.for_seconds:
            return size, f"{said} {self._band(reading.value)}, known for {tenths(known)} s of {span}: {size} stay"
        start, mildest = reading.at - self.for_seconds, min if called > size else max
        bands = [self._band(value) for value in {run[2] for run in history if run[1] >= start}]
        made, band = mildest(((self._makes(band, size), band) for band in bands), key=itemgetter(0))
        if (made > size) != (called > size) or made == size:
            return size, f"{said}, not all of {span} call for {'more' if called > size else 'fewer'}: {size} stay"
        return self._say(f"{said}, over {span}{'' if made == called else ' mildest'}", band, size)

    def _count(self, reading: Reading, totals: Mapping[float | None, int], size: int) -> tuple[int, str]:
        """Make the mildest change that enough of the readings call for or exceed."""
        needed = self.readings or 1
        calls = [(self._makes(band := self._band(value), size), total, band) for value, total in totals.items()]
        more, fewer = sum(total for made, total, _ in calls if made > size), sum(total for made, total, _ in calls if made < size)
        said = f"{self._said(reading)}, {{}} of {sum(totals.values())} readings{f' in {brief(self.for_seconds)} s' if self.for_seconds else ''}"
        if max(more, fewer) < needed:
            return size, f"{said.format(more)} call for more and {fewer} for fewer, {needed} are needed: {size} stay"
        calls.sort(key=itemgetter(0), reverse=more >= needed)
        return self._say(said.format(more if more >= needed else fewer), _nth(calls, needed), size)

    def _makes(self, band: Band | None, size: int) -> int:
        return size if band is None else changed(band, size, self.rounding)

    def _say(self, said: str, band: Band | None, size: int) -> tuple[int, str]:
        if band is None:
            return size, f"{said} in no band: {size} stay"
        after = changed(band, size, self.rounding)
        return after, f"{said} {band}: {written(band, size, after, self.rounding)}"


def _totals(history: list[Run]) -> Mapping[float | None, int]:
    totals: dict[float | None, int] = {}
    for _, _, value, count in history:
        totals[value] = totals.get(value, 0) + count
    return totals


def _nth(calls: list[tuple[int, int, Band | None]], nth: int) -> Band | None:
    """Return the band of the ``nth`` reading."""
    for _, total, band in calls:
        nth -= total
        if nth <= 0:
            return band
    return None
