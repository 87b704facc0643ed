"""Pace the calls for a decision that a waiting connection makes, for every backend that wakes the controller."""

from __future__ import annotations

FIRST_PAUSE_SECONDS = 1.0  # until a connection that nobody takes is told of again
_LONGEST_PAUSE_SECONDS = 30.0


def next_pause(pause_seconds: float) -> float:
    """Return the pause after this one: it doubles while nothing is done about the connection."""
    return min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
