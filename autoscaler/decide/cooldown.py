"""Stage 4: pause after a change. Scale-in waits after any change, scale-out after a scale-out.

Within a scale-out cooldown, only a need beyond what was granted passes: capacity that was added counts toward the next
scale-out, as in AWS Application Auto Scaling, but real new load never waits.
"""

from __future__ import annotations

from autoscaler.decide.exact import tenths
from autoscaler.decide.situation import Situation
from autoscaler.model import Adjustment


def cool_down(situation: Situation, processes: int) -> Adjustment | None:
    """Hold back a change that comes too soon after the last."""
    if processes > situation.current:
        return _scale_out(situation, processes)
    return _scale_in(situation, processes) if processes < situation.current else None


def _scale_in(situation: Situation, processes: int) -> Adjustment | None:
    if not situation.memory.changes:
        return None
    left = _left(situation, situation.memory.changes[-1].now, situation.settings.scale_in.cooldown_seconds)
    if left <= 0:
        return None
    return Adjustment("cooldown", processes, situation.current, f"no scale-in for {tenths(left)} s more")


def _scale_out(situation: Situation, processes: int) -> Adjustment | None:
    span = situation.settings.scale_out.cooldown_seconds
    recent = [change for change in situation.memory.changes if change.after > change.before and _left(situation, change.now, span) > 0]
    if not recent:
        return None
    granted = max(change.after for change in recent)
    if processes > granted:
        return None
    left = _left(situation, max(change.now for change in recent if change.after >= processes), span)
    return Adjustment("cooldown", processes, situation.current, f"{granted} were granted already, no more for {tenths(left)} s but beyond that")


def _left(situation: Situation, since: float, span: float) -> float:
    return span - (situation.now - since)
