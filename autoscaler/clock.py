"""Tell the time: monotonic seconds for windows and deadlines, wall seconds for schedules and records."""

from __future__ import annotations

import time
from typing import Protocol

_MICROSECONDS = 6  # an epoch time as a double holds no more, and a record must be read back exactly


class Clock(Protocol):
    """A source of time; ``now`` never goes back, ``wall`` may step either way."""

    def now(self) -> float:
        """Return monotonic seconds, rounded to microseconds."""

    def wall(self) -> float:
        """Return seconds since the epoch, rounded to microseconds."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        """Return the machine's monotonic seconds."""
        return round(time.monotonic(), _MICROSECONDS)

    def wall(self) -> float:
        """Return the machine's seconds since the epoch."""
        return round(time.time(), _MICROSECONDS)


class VirtualClock:
    """A clock that moves only when told to, for simulations and tests."""

    def __init__(self, now: float = 0.0, wall: float = 0.0) -> None:
        """Start both times where the caller says."""
        self._now = now
        self._wall = wall

    def now(self) -> float:
        """Return the virtual monotonic seconds."""
        return round(self._now, _MICROSECONDS)

    def wall(self) -> float:
        """Return the virtual seconds since the epoch."""
        return round(self._wall, _MICROSECONDS)

    def advance(self, seconds: float) -> None:
        """Move both times forward; raise ``ValueError`` for a negative step."""
        if seconds < 0:
            raise ValueError(f"monotonic time cannot go back by {-seconds:g} s")
        self._now += seconds
        self._wall += seconds

    def step_wall(self, seconds: float) -> None:
        """Step the wall time alone, as an administrator or NTP does."""
        self._wall += seconds
