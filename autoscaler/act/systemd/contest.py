"""Notice that somebody else undoes what we do, and hold still instead of fighting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

REVERSAL_SECONDS = 300.0  # undone within this long is undone, not just changed later
_FEWEST_UNDONE = 2  # changes of ours; one may be an operator's correction
_FIRST_HOLD_SECONDS = 300.0
_LONGEST_HOLD_SECONDS = 3600.0
_PEACE_SECONDS = 24 * 3600.0  # after this long without a hold the next one is short again


@dataclass(slots=True)
class Contest:
    """What became of the changes that were made to one process type."""

    action: int = 0  # counts the changes
    _hold_seconds: float = 0.0  # the last time
    _held_at: float = float("-inf")
    _undone: dict[int, float] = field(default_factory=dict)  # change -> when somebody undid part of it

    def act(self) -> int:
        """Count one more change of ours; return its number."""
        self.action += 1
        return self.action

    def undone(self, action: int, now: float) -> float:
        """Take in that part of a change was undone; return the seconds to hold still from now on, 0 for not at all."""
        self._undone = {**_younger(self._undone, now), action: now}
        if len(self._undone) < _FEWEST_UNDONE:
            return 0.0
        self._undone.clear()
        self._hold_seconds = min(_LONGEST_HOLD_SECONDS, 2.0 * self._hold_seconds) if now - self._held_at < _PEACE_SECONDS else _FIRST_HOLD_SECONDS
        self._held_at = now
        return self._hold_seconds


def _younger(undone: Mapping[int, float], now: float) -> dict[int, float]:
    return {action: at for action, at in undone.items() if now - at < REVERSAL_SECONDS}
