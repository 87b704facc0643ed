"""Count what happens from tick to tick."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field, replace

from autoscaler.events import Tick

_REACTION_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_DURATION_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many values fell below each bound, and their sum; ``counts`` has one more place, for those above all bounds."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...] = ()
    total: float = 0.0

    def add(self, value: float) -> Histogram:
        """Return the histogram with one more value."""
        counts = list(self.counts or (0,) * (len(self.bounds) + 1))
        counts[bisect_left(self.bounds, value)] += 1
        return replace(self, counts=tuple(counts), total=self.total + value)


@dataclass(slots=True)
class Tally:
    """All that is counted since the start, by process type; what a reload removes is forgotten."""

    decisions: Counter[tuple[str, str]] = field(default_factory=Counter)  # by process type and action
    adjustments: Counter[tuple[str, str]] = field(default_factory=Counter)  # by process type and rule
    errors: Counter[str] = field(default_factory=Counter)
    reactions: dict[str, Histogram] = field(default_factory=dict)
    durations: Histogram = Histogram(_DURATION_BOUNDS)

    def count(self, tick: Tick) -> None:
        """Count one tick."""
        self.errors.update(tick.errors.keys())
        self.durations = self.durations.add(tick.duration_seconds)
        for decision in tick.decisions:
            name = decision.observation.process_type.name
            self.decisions[name, decision.action] += 1
            self.adjustments.update((name, rule) for rule in dict.fromkeys(adjustment.rule for adjustment in decision.adjustments))
        for name, seconds in tick.reactions.items():
            self.reactions[name] = self.reactions.get(name, Histogram(_REACTION_BOUNDS)).add(seconds)

    def forget_all_but(self, names: frozenset[str]) -> None:
        """Forget the process types that are not named any more."""
        self.decisions = Counter({key: count for key, count in self.decisions.items() if key[0] in names})
        self.adjustments = Counter({key: count for key, count in self.adjustments.items() if key[0] in names})
        self.errors = Counter({name: count for name, count in self.errors.items() if name in names})
        self.reactions = {name: histogram for name, histogram in self.reactions.items() if name in names}

    def copy(self) -> Tally:
        """Return the counts of this moment, which later ticks do not change."""
        return Tally(self.decisions.copy(), self.adjustments.copy(), self.errors.copy(), dict(self.reactions), self.durations)
