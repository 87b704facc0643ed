"""Remember how the recent starts of a process type went: restart delays, crash loops, the time to ready."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from autoscaler.model import ProcessType

SETTLED_SECONDS = 60.0  # a process that ran this long has started well
MEMORY_SECONDS = 300.0  # how long the failures of a number that is gone count
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
    is_ready: bool = False  # or was, before it ended
    has_failed: bool = False
    is_over: bool = False  # its number is not in use any more


class StartHistory:
    """The recent starts of one process type."""

    def __init__(self) -> None:
        """Begin without any."""
        self.startup_seconds: float | None = None
        self._failures = 0  # in a row, of a number that is gone
        self._failed_at = 0.0
        self._starts: deque[Start] = deque(maxlen=_REMEMBERED_STARTS)
        self._startups: deque[float] = deque(maxlen=_REMEMBERED_STARTUPS)

    def begin(self, number: int) -> Start:
        """Note a start of the process of this number."""
        start = Start(number)
        self._starts.append(start)
        return start

    def settle(self, start: Start) -> None:
        """Note that a start went well: earlier failures of its number are over, and those of numbers that are gone."""
        start.is_ready, start.has_failed = True, False
        self._failures = 0
        self._keep(lambda other: other is start or not (other.is_over or other.number == start.number))

    def retire(self, number: int, failures: int, failed_at: float) -> list[Start]:
        """Take in that a number is not in use any more; return its failed starts, which count until ``forget``."""
        self._keep(lambda start: start.number != number or start.has_failed)
        ended = [start for start in self._starts if start.number == number and not start.is_over]
        for start in ended:
            start.is_over = True
        self._failures = max(failures, self.recall_failures(failed_at))
        self._failed_at = max(self._failed_at, failed_at)
        return ended

    def forget(self, starts: list[Start]) -> None:
        """Drop starts that are long over."""
        self._keep(lambda start: start not in starts)

    def forgive(self) -> None:
        """Forget what failed: what is started from now on is another command."""
        self._failures = 0
        self._keep(lambda start: not start.is_over)

    def recall_failures(self, now: float) -> int:
        """Return how often a number that is gone had failed in a row; 0 when that is long over."""
        return self._failures if now - self._failed_at < MEMORY_SECONDS else 0

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
        """Return the last starts of which it is known how they went: one under way says nothing yet."""
        return [start for start in self._starts if start.has_failed or start.is_ready][-max(_FEWEST_STARTS, running) :]

    def _keep(self, wanted: Callable[[Start], bool]) -> None:
        self._starts = deque(filter(wanted, self._starts), maxlen=_REMEMBERED_STARTS)
