"""Turn a tick into what the demo shows of each process type."""

from __future__ import annotations

from dataclasses import dataclass

from autoscaler.demo.curve import Curve
from autoscaler.events import Tick
from autoscaler.model import Action, Counts, Decision


@dataclass(frozen=True, slots=True)
class Marks:
    """The character that stands for one process in each state."""

    running: str
    starting: str
    draining: str

    def bar(self, counts: Counts) -> str:
        """Draw one character for each process."""
        return self.running * counts.running + self.starting * counts.starting + self.draining * counts.draining


BLOCKS = Marks(running="█", starting="▒", draining="░")
ASCII = Marks(running="#", starting="+", draining="-")


def marks_for(encoding: str) -> Marks:
    """Choose blocks where the encoding of the output has them."""
    try:
        BLOCKS.running.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return BLOCKS


@dataclass(frozen=True, slots=True)
class Row:
    """One process type at one tick."""

    name: str
    counts: Counts
    load: str
    target: int
    action: Action
    reason: str


@dataclass(frozen=True, slots=True)
class Story:
    """Where the demo stands in its curve: the phase and the time left."""

    curve: Curve
    began: float  # monotonic seconds

    def elapsed(self, now: float) -> float:
        """Return the seconds since the start, from 0 to the length of the curve."""
        return min(max(0.0, now - self.began), self.curve.seconds)

    def phase(self, now: float) -> str:
        """Name the phase of the load."""
        return self.curve.phase_at(self.elapsed(now)).name

    def seconds_left(self, now: float) -> float:
        """Return the seconds to the end of the curve."""
        return self.curve.seconds - self.elapsed(now)


def rows_of(tick: Tick) -> tuple[Row, ...]:
    """Return one row for each process type that was decided on."""
    return tuple(_row(decision) for decision in tick.decisions)


def _row(decision: Decision) -> Row:
    observation = decision.observation
    return Row(observation.process_type.name, observation.counts, _load(decision), decision.target, decision.action, decision.reason)


def _load(decision: Decision) -> str:
    """Say the readings in words: their names are written to be read."""
    observation = decision.observation
    known = [f"{reading.value:.3g} {name.replace('_', ' ')}" for name, reading in observation.readings.items()]
    return ", ".join([*known, *(f"{name.replace('_', ' ')} unknown" for name in observation.missing)])
