"""The clock of a simulation."""

from __future__ import annotations

_MICROSECONDS = 6


class SteppedClock:
    """Monotonic seconds since the start, and the wall time that goes with them.

    It is set to times, where ``VirtualClock`` adds up steps: over a year of tenths of a second their roundings would reach a microsecond.
    """

    def __init__(self, begins: float) -> None:
        """Begin at second 0, which is ``begins`` on the wall, in seconds since the epoch."""
        self._begins = begins
        self.go_to(0.0)

    def go_to(self, now: float) -> None:
        """Set both times."""
        self._now = round(now, _MICROSECONDS)
        self._wall = round(self._begins + self._now, _MICROSECONDS)

    def now(self) -> float:
        """Return the simulated seconds since the start."""
        return self._now

    def wall(self) -> float:
        """Return the simulated seconds since the epoch."""
        return self._wall
