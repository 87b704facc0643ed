"""Add up what each process type used over the demo: processes over time, its peak and its process-seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from autoscaler.events import Notice, Tick
from autoscaler.model import Action


@dataclass(frozen=True, slots=True)
class Moment:
    """How many processes of a type lived at one tick, draining ones included, and what was done."""

    now: float
    processes: int
    action: Action


@dataclass(frozen=True, slots=True)
class Usage:
    """What one process type used from its first moment to the end."""

    peak: int
    process_seconds: float
    fixed_process_seconds: float  # of a formation that stays at the peak
    scale_outs: int
    scale_ins: int


def usage_of(moments: Sequence[Moment], ended: float) -> Usage:
    """Sum a type's moments, oldest first; each one lasts to the next, the last one to ``ended``."""
    if not moments:
        return Usage(0, 0.0, 0.0, 0, 0)
    peak = max(moment.processes for moment in moments)
    used = sum(before.processes * (after.now - before.now) for before, after in pairwise(moments))
    used += moments[-1].processes * max(0.0, ended - moments[-1].now)
    actions = [moment.action for moment in moments]
    fixed = peak * (max(ended, moments[-1].now) - moments[0].now)
    return Usage(peak, round(used, 3), round(fixed, 3), actions.count("scale_out"), actions.count("scale_in"))


class UsageListener:
    """Keeps every moment of every process type."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self.moments: dict[str, list[Moment]] = {}
        self.errors: dict[str, str] = {}  # the newest failure of each type that had one

    def ticked(self, tick: Tick) -> None:
        """Note how many processes of each type live."""
        self.errors.update(tick.errors)
        for decision in tick.decisions:
            counts = decision.observation.counts
            moment = Moment(tick.now, counts.capacity + counts.draining, decision.action)
            self.moments.setdefault(decision.observation.process_type.name, []).append(moment)

    def noticed(self, notice: Notice) -> None:
        """Take no notice: only ticks show what runs."""
