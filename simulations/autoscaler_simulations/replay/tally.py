"""Count what a replay found."""

from __future__ import annotations

from dataclasses import dataclass, field

from autoscaler_simulations.replay.difference import Comparison


@dataclass(slots=True)
class TypeTally:
    """What was found of one process type."""

    decisions: int = 0
    differences: int = 0
    recorded_process_seconds: float = 0.0  # of the recorded targets
    replayed_process_seconds: float = 0.0  # of the targets decided again
    last: _Targets | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Targets:
    run: int
    now: float
    recorded: int
    replayed: int


@dataclass(slots=True)
class Tally:
    """What was found of all process types."""

    types: dict[str, TypeTally] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)  # decisions on types that the configuration lacks

    @property
    def decisions(self) -> int:
        """Count the decisions that were made again."""
        return sum(one.decisions for one in self.types.values())

    @property
    def differences(self) -> int:
        """Count the decisions that differ."""
        return sum(one.differences for one in self.types.values())

    def take(self, comparison: Comparison) -> None:
        """Count one decision, and how long its targets stood until the next one of its type."""
        name = comparison.recorded.process_type
        if comparison.is_left_out:
            self.left_out[name] = self.left_out.get(name, 0) + 1
            return
        tally = self.types.setdefault(name, TypeTally())
        tally.decisions += 1
        _add_seconds(tally, comparison)

    def differs(self, comparison: Comparison) -> None:
        """Count a difference, of a decision that was taken."""
        self.types[comparison.recorded.process_type].differences += 1


def _add_seconds(tally: TypeTally, comparison: Comparison) -> None:
    recorded, last = comparison.recorded, tally.last
    if last is not None and last.run == comparison.run:
        seconds = max(0.0, recorded.now - last.now)
        tally.recorded_process_seconds += seconds * last.recorded
        tally.replayed_process_seconds += seconds * last.replayed
    held = recorded.counts.desired  # what was not decided again stays as it is
    tally.last = _Targets(comparison.run, recorded.now, recorded.target, comparison.replayed.target if comparison.replayed else held)
