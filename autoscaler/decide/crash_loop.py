"""Guard of stage 6: add no processes to a type whose starts fail."""

from __future__ import annotations

from autoscaler.decide.situation import Situation
from autoscaler.model import Adjustment


def hold_crash_loop(situation: Situation, processes: int) -> Adjustment | None:
    """Hold scale-out while most of the last max(3, running) starts failed, as the backend counts them."""
    if not situation.observation.is_crash_looping or processes <= situation.current:
        return None
    return Adjustment("crash_loop", processes, situation.current, "most of its last starts failed: not scaled out while it crash loops")
