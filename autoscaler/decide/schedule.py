"""Stage 2: windows of the clock raise the minimum, lower the maximum or fix the number of processes.

A window begins at the times of a cron expression in a time zone, with the rules of Debian's cron across daylight saving: what
falls into the hour that is skipped begins right after it, and what falls into the one that is repeated begins once.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim

from autoscaler.decide.settings import Schedule, Window
from autoscaler.decide.situation import Bounds
from autoscaler.model import ProcessType

_MINUTE = 60.0
_NEVER = float("-inf")


def bounds_at(process_type: ProcessType, schedule: Schedule, at: float) -> Bounds | None:
    """Return the bounds in force at wall time ``at``, ``None`` outside of every window.

    Of several windows the highest minimum and the lowest maximum count; where they contradict each other, the maximum.
    """
    windows = [window for window in schedule.windows if is_open(window, schedule.timezone, at)]
    if not windows:
        return None
    lowest = min(windows, key=lambda window: _highest_of(window, process_type))
    maximum = _highest_of(lowest, process_type)
    least = max(windows, key=lambda window: _lowest_of(window, process_type))
    at_once = [_highest_of(window, process_type) for window in windows if window.at_once]
    return Bounds(
        minimum=min(maximum, _lowest_of(least, process_type)),
        maximum=maximum,
        hard_maximum=min(at_once, default=process_type.maximum),
        minimum_reason=f"at least {min(maximum, _lowest_of(least, process_type))} in {least.said}",
        maximum_reason=f"at most {maximum} in {lowest.said}",
    )


def is_open(window: Window, timezone: str, at: float) -> bool:
    """Tell whether a window is open at wall time ``at``: it began, and has neither lasted its time nor met its end."""
    start = last_time(window.cron, timezone, int(at // _MINUTE))
    if window.until is not None:
        return start > last_time(window.until, timezone, int(at // _MINUTE))
    return at - start < (window.for_seconds or 0.0)


@lru_cache(maxsize=16384)
def last_time(cron: str, timezone: str, minute: int) -> float:
    """Return the last time of a cron expression until the end of a minute of the epoch, in wall seconds; minus infinity for never.

    Times of cron are whole minutes, so that one answer holds for a minute.
    """
    after = datetime.fromtimestamp(minute * _MINUTE + 1.0, _zone(timezone))
    found = next(CronSim(cron, after, reverse=True), None)
    if found is None:
        return _NEVER
    # Backwards, cronsim misses what began in the first of two equal hours; forwards it does not.
    for later in CronSim(cron, found):
        if later.timestamp() > minute * _MINUTE:
            break
        found = later
    return found.timestamp()


@lru_cache(maxsize=1024)
def _zone(timezone: str) -> ZoneInfo:
    return ZoneInfo(timezone)


def _lowest_of(window: Window, process_type: ProcessType) -> int:
    said = window.minimum if window.processes is None else window.processes
    return process_type.minimum if said is None else max(said, 0 if window.processes is not None else process_type.minimum)


def _highest_of(window: Window, process_type: ProcessType) -> int:
    said = window.maximum if window.processes is None else window.processes
    return process_type.maximum if said is None else min(said, process_type.maximum)
