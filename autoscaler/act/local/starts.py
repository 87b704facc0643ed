"""Remember how the recent starts of a process type went: restart delays, crash loops, the time to ready."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from autoscaler.model import ProcessType

SETTLED_SECONDS = 60.0  # a process that ran this long has started well
_FIRST_DELAY_SECONDS = 0.5
_LONGEST_DELAY_SECONDS = 30.0
_JITTER = 0.2
_REMEMBERED_STARTS = 200
_REMEMBERED_STARTUPS = 9
_FEWEST_STARTS = 3
_NOTABLE_SHARE = 0.1


def restart_delay(failures: int, chance: float) -> float:
    """Return the seconds until the next start after ``failures`` in a row: 0.5 s doubling to 30 s, a fifth up or down by ``chance`` (0 to 1)."""
    delay = min(_LONGEST_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2.0 ** min(failures - 1, 16))
    return float(delay * (1.0 - _JITTER + 2.0 * _JITTER * chance))


def start_timeout(process_type: ProcessType, measured_seconds: float | None) -> float:
    """Return the seconds a start may take: by the configured startup, or else by the measured one."""
    return replace(process_type, startup_seconds=process_type.startup_seconds or measured_seconds).start_timeout_seconds


@dataclass(slots=True, eq=False)
class Start:
    """One start of the process of a number; it has failed if it ended before it was ready, or soon after."""

    number: int
    has_failed: bool = False


class StartHistory:
    """The recent starts of one process type."""

    def __init__(self) -> None:
        """Begin without any."""
        self.startup_seconds: float | None = None
        self._starts: deque[Start] = deque(maxlen=_REMEMBERED_STARTS)
        self._startups: deque[float] = deque(maxlen=_REMEMBERED_STARTUPS)

    def begin(self, number: int) -> Start:
        """Note a start of the process of this number."""
        start = Start(number)
        self._starts.append(start)
        return start

    def settle(self, start: Start) -> None:
        """Note that a start went well: earlier failures of its number are over."""
        start.has_failed = False
        self._keep(lambda other: other is start or other.number != start.number)

    def forget(self, number: int) -> None:
        """Drop the starts of a number that is not in use any more."""
        self._keep(lambda start: start.number != number)

    def count_failures(self, running: int) -> tuple[int, int]:
        """Return how many of the last max(3, running) starts failed, and how many starts that is."""
        recent = self._recent(running)
        return sum(start.has_failed for start in recent), len(recent)

    def is_crash_looping(self, running: int) -> bool:
        """Tell whether most of the last max(3, running) starts failed; one failing process among running ones is no loop."""
        failed, counted = self.count_failures(running)
        numbers = {start.number for start in self._recent(running) if start.has_failed}
        is_alone = running > 0 and len(numbers) == 1
        return counted >= _FEWEST_STARTS and 2 * failed > counted and not is_alone

    def add_startup(self, seconds: float) -> None:
        """Take in one measured time from start to ready; the median is told with two digits, and only changes by a tenth or more."""
        self._startups.append(seconds)
        median = float(f"{statistics.median(self._startups):.2g}")
        told = self.startup_seconds
        if told is None or abs(median - told) > _NOTABLE_SHARE * told:
            self.startup_seconds = median

    def _recent(self, running: int) -> list[Start]:
        return list(self._starts)[-max(_FEWEST_STARTS, running) :]

    def _keep(self, wanted: Callable[[Start], bool]) -> None:
        self._starts = deque(filter(wanted, self._starts), maxlen=_REMEMBERED_STARTS)
