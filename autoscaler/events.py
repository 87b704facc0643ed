"""What a running controller tells: one value a tick, and one for each thing that happens between ticks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from autoscaler.decide.settings import Pause
from autoscaler.model import Decision, Json, Reading, TypeFormation


@dataclass(frozen=True, slots=True)
class BoardEntry:
    """What is known of one metric now: its reading, or why there is none."""

    reading: Reading | None
    cause: str | None  # why `reading` is missing, None when it is not
    errors: int = 0  # failed polls since the start


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """All that one tick saw, decided and did."""

    now: float
    at: float
    decisions: tuple[Decision, ...]
    formations: Mapping[str, TypeFormation]  # by process type, as observed
    board: Mapping[str, BoardEntry]  # by metric
    pauses: Mapping[str, Pause] = field(default_factory=dict)  # by process type, those in force
    errors: Mapping[str, str] = field(default_factory=dict)  # by process type (not observed, not scaled) or by the part that failed: pause, tick
    reactions: Mapping[str, float] = field(default_factory=dict)  # by process type scaled: seconds from newest sample to backend called
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # by process type decided: the fewest and the most at that moment
    happenings: tuple[str, ...] = ()  # what backends reported since the last tick, in sentences
    duration_seconds: float = 0.0
    missed: int = 0  # ticks that were not run in time, since the start
    is_complete: bool = False  # every type was observed and every metric was asked at least once


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that happened beside the ticks: start, reload, pause, resume, a measured start-up time."""

    event: str
    now: float
    at: float
    details: Mapping[str, Json]


class Listener(Protocol):
    """Is told of every tick and notice: the record, the log, the metrics, the demo's table."""

    def ticked(self, tick: Tick) -> None:
        """Take in one tick; called on the control thread, so return soon."""

    def noticed(self, notice: Notice) -> None:
        """Take in one notice."""
