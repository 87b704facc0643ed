"""Notice connections to types at zero, as a backend does that wakes the controller for them."""

from __future__ import annotations

from autoscaler.act.ringing import FIRST_PAUSE_SECONDS, next_pause


class Callers:
    """Rings for a connection at once, and again after pauses that double while nothing is done about it."""

    def __init__(self) -> None:
        """Begin with nobody calling."""
        self._resting: dict[str, tuple[float, float]] = {}  # by process type: until when, and the pause after that

    def rings(self, process_type: str, at: float, *, is_called: bool) -> bool:
        """Take in whether a connection waits now, and tell whether it rings."""
        if not is_called:
            self._resting.pop(process_type, None)
            return False
        until, pause = self._resting.get(process_type, (at, FIRST_PAUSE_SECONDS))
        if at < until:
            return False
        self._resting[process_type] = (at + pause, next_pause(pause))
        return True
