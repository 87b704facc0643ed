"""Fold equal differences on consecutive ticks into one line each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from autoscaler_simulations.replay.difference import Causes, Comparison, causes_of


@dataclass(slots=True)
class Span:
    """A process type's consecutive ticks with the same numbers in the record, and the same others now."""

    first: Comparison
    causes: Causes  # of the first
    last_at: float
    ticks: int = 1

    def said(self) -> str:
        """Write the span on one line, its times in UTC."""
        recorded, replayed, current = self.first.recorded, self.first.replayed, self.first.recorded.counts.desired
        before, now = f"{current} -> {recorded.target}", f"{current} -> {replayed.target}" if replayed else "not decided"
        if replayed and replayed.target == recorded.target:
            before, now = f"{before} ({recorded.action})", f"{now} ({replayed.action})"
        count = f", {self.ticks} ticks" if self.ticks > 1 else ""
        why = f"recorded {before}: {self.causes.recorded}; now: {self.causes.replayed}"
        return f"{_times(recorded.at, self.last_at)}  {recorded.process_type}  {now}{count}  ({why})"


class Spans:
    """The differences of a replay, folded."""

    def __init__(self) -> None:
        """Begin without differences."""
        self.all: list[Span] = []  # in the order they began
        self._open: dict[str, Span] = {}  # by process type

    def same(self, comparison: Comparison) -> None:
        """End the span of a type whose decision is as recorded."""
        self._open.pop(comparison.recorded.process_type, None)

    def differs(self, comparison: Comparison) -> None:
        """Lengthen the span of a type, or begin another."""
        name = comparison.recorded.process_type
        span = self._open.get(name)
        if span is None or _numbers(span.first) != _numbers(comparison):
            span = self._open[name] = Span(comparison, causes_of(comparison), comparison.recorded.at)
            self.all.append(span)
        else:
            span.ticks += 1
            span.last_at = comparison.recorded.at


def _numbers(comparison: Comparison) -> tuple[object, ...]:
    recorded, replayed = comparison.recorded, comparison.replayed
    again = (replayed.target, replayed.action) if replayed else None
    return comparison.run, recorded.counts.desired, recorded.target, recorded.action, again


def _times(first: float, last: float) -> str:
    begin, end = _clock(first), _clock(last)
    if first == last:
        return begin
    return f"{begin} .. {end if begin.split()[0] != end.split()[0] else end.split()[1]}"


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"
