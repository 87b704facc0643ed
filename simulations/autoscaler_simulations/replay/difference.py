"""Compare a recorded decision with the one made again, and find the first cause of a difference."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from autoscaler.model import Adjustment, Decision, Json, PolicyAnswer, Recommendation
from autoscaler.record import RecordedDecision, decision_line, to_json
from autoscaler_simulations.replay.ticks import Written


@dataclass(frozen=True, slots=True)
class Comparison:
    """One recorded decision beside the one made again, or why there is none."""

    written: Written
    replayed: Decision | None
    trouble: str | None  # why it was not decided again; both None: the configuration lacks the type
    run: int  # counts the controllers that wrote the record

    @property
    def recorded(self) -> RecordedDecision:
        """Return the recorded decision."""
        return self.written.decision

    @property
    def is_left_out(self) -> bool:
        """Whether the configuration lacks the process type."""
        return self.replayed is None and self.trouble is None

    def is_same_line(self) -> bool:
        """Tell whether the new decision is written as the recorded one, to the byte."""
        return self.replayed is not None and _as_written(self.replayed) == self.written.text

    def is_same_outcome(self) -> bool:
        """Tell whether the new decision asks for the same number by the same action, for whatever reason."""
        replayed = self.replayed
        return replayed is not None and (replayed.target, replayed.action) == (self.recorded.target, self.recorded.action)


@dataclass(frozen=True, slots=True)
class Causes:
    """The first policy or rule that differs, in the record and now."""

    recorded: str
    replayed: str


def causes_of(comparison: Comparison) -> Causes:
    """Find the first policy with another number, else the first rule with another effect, else the first other sentence or value."""
    recorded, replayed = comparison.recorded, comparison.replayed
    if replayed is None:
        return Causes(recorded.reason, comparison.trouble or "the configuration has no such process type")
    found = _first_answer(recorded.answers, replayed.answers) or _first_rule(recorded.adjustments, replayed.adjustments)
    if found is None and recorded.reason != replayed.reason:
        found = Causes(recorded.reason, replayed.reason)
    return found or _first_value(comparison.written.text, replayed)


def _first_answer(recorded: Sequence[PolicyAnswer], replayed: Sequence[PolicyAnswer]) -> Causes | None:
    for one, other in zip_longest(recorded, replayed):
        if _number(one) != _number(other):
            return Causes(_said_by_policy(one), _said_by_policy(other))
    return None


def _number(named: PolicyAnswer | None) -> tuple[str, int | None] | None:
    if named is None:
        return None
    return named.policy, named.answer.processes if isinstance(named.answer, Recommendation) else None


def _said_by_policy(named: PolicyAnswer | None) -> str:
    return f"policy {named.policy}: {named.answer.reason}" if named else "no policy"


def _first_rule(recorded: Sequence[Adjustment], replayed: Sequence[Adjustment]) -> Causes | None:
    for one, other in zip_longest(recorded, replayed):
        if one is None or other is None or (one.rule, one.after) != (other.rule, other.after):
            return Causes(_said_by_rule(one), _said_by_rule(other))
    return None


def _said_by_rule(adjustment: Adjustment | None) -> str:
    return f"rule {adjustment.rule}: {adjustment.reason}" if adjustment else "no rule"


def _first_value(text: str, replayed: Decision) -> Causes:
    line: dict[str, Json] = json.loads(text)
    again: dict[str, Json] = json.loads(to_json(decision_line(replayed)))
    for key, value in again.items():
        if line.get(key) != value:
            return Causes(f"{key} {_json(line.get(key))}", f"{key} {_json(value)}")
    return Causes("the same values, written otherwise", "the same values")


def _as_written(decision: Decision) -> str:
    # As the record is written: what is no UTF-8 stands there as its escape.
    return to_json(decision_line(decision)).encode(errors="backslashreplace").decode()


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)
