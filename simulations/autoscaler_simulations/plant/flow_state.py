"""Hold what a flow has done so far."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class FlowState:
    """Counts and areas up to ``now``; see ``Tally`` for what they mean."""

    now: float = 0.0
    slots: int = 0
    waiting: float = 0.0
    busy: float = 0.0  # of open slots
    arrived: float = 0.0
    started: float = 0.0
    completed: float = 0.0
    dropped: float = 0.0
    lost: float = 0.0
    returned: float = 0.0
    waiting_seconds: float = 0.0  # of those in the line
    busy_seconds: float = 0.0
    open_slot_seconds: float = 0.0
    wandered_seconds: float = 0.0  # waits of those that never were in the line
    returned_seconds: float = 0.0  # since they arrived, of those that came back, when they did
