"""Stage 9: an operator's pause holds the size against every other rule."""

from __future__ import annotations

from autoscaler.decide.situation import Situation
from autoscaler.model import Adjustment


def hold_paused(situation: Situation, processes: int) -> Adjustment | None:
    """Hold the desired number in the directions that are paused."""
    pause = situation.pause
    is_held = (processes > situation.current and pause.scale_out) or (processes < situation.current and pause.scale_in)
    if not is_held:
        return None
    return Adjustment("pause", processes, situation.current, f"paused: {pause.reason}" if pause.reason else "paused")
