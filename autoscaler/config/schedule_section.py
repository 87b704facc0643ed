"""Read the ``schedule:`` of a process type: its time zone and its windows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from autoscaler.config.part import Part
from autoscaler.config.schema import ScheduleSection, TypeSection, WindowSection
from autoscaler.config.wording import nearest, show
from autoscaler.decide.settings import Schedule, Window

_DEFAULT_ZONE = "UTC"
_FIELDS = 5  # cronsim reads a sixth, of seconds; a window opens on whole minutes
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


def make_schedule(section: ScheduleSection | None) -> Schedule | None:
    """Make the schedule of a section; ``None`` when it has no windows."""
    if section is None or not section.windows:
        return None
    return Schedule(section.timezone or _DEFAULT_ZONE, tuple(_window(window) for window in section.windows))


def check_schedule(section: ScheduleSection | None, part: Part) -> None:
    """Report what is wrong with a schedule in itself."""
    if section is None:
        return
    if section.timezone is not None and not _is_zone(section.timezone):
        said, near = part.shown("timezone", show(section.timezone)), nearest(section.timezone, available_timezones())
        part.report.at_value((*part.path, "timezone"), f"{said} is no time zone; {near or 'write Area/City, such as Europe/Budapest'}")
    for index, window in enumerate(section.windows or ()):
        for key, sentence in _find_mistakes(window):
            path = (*part.path, "windows", index)
            part.report.at_value((*path, key), sentence) if key else part.report.at_key(path, sentence)


def check_bounds(section: TypeSection, own: TypeSection, part: Part) -> None:
    """Report windows of the type's own schedule that its minimum and maximum contradict."""
    if own.schedule is None or section.maximum is None:
        return
    minimum = 1 if section.minimum is None else section.minimum
    for index, window in enumerate(own.schedule.windows or ()):
        for key, sentence in _find_contradictions(window, minimum, section.maximum):
            part.report.at_value((*part.path, "schedule", "windows", index, key), sentence)


def _window(section: WindowSection) -> Window:
    return Window(
        cron=section.cron or "",
        for_seconds=section.for_seconds,
        until=section.until,
        minimum=section.minimum,
        maximum=section.maximum,
        processes=section.processes,
        at_once=section.at_once,
    )


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True


def _find_mistakes(window: WindowSection) -> Iterator[tuple[str, str]]:
    """Yield (key, sentence); an empty key stands for the window as a whole."""
    if window.cron is None:
        yield "", "has no cron; write when it begins, such as cron: '0 8 * * 1-5'"
    for key in ("cron", "until"):
        said = getattr(window, key)
        if said is not None and (problem := _find_problem(said)):
            yield key, f"{show(said)} is no cron expression ({problem}); write minute hour day month weekday, such as '0 8 * * 1-5'"
    if window.for_seconds is None and window.until is None:
        yield "", "does not say how long it lasts; write `for: 10h` or `until: '0 18 * * 1-5'`"
    if window.for_seconds is not None and window.until is not None:
        yield "until", "stands beside for; keep one of them"
    if window.cron is not None and window.cron == window.until:
        yield "until", "is when it begins as well, so that it would never be open; write when it ends"
    yield from _find_limit_mistakes(window)


def _find_limit_mistakes(window: WindowSection) -> Iterator[tuple[str, str]]:
    if window.minimum is None and window.maximum is None and window.processes is None:
        yield "", "changes nothing; give it a minimum, a maximum, or processes"
    if window.processes is not None and (window.minimum is not None or window.maximum is not None):
        yield "processes", "stands beside minimum or maximum; it fixes the number, keep it alone"
    if window.minimum is not None and window.maximum is not None and window.minimum > window.maximum:
        yield "minimum", f"{window.minimum} is above maximum {window.maximum}; lower one of them"
    if window.at_once and window.maximum is None and window.processes is None:
        yield "at_once", "has no effect without maximum or processes; a higher minimum always holds at once"


def _find_problem(cron: str) -> str | None:
    if len(cron.split()) != _FIELDS:
        return "Wrong number of fields"
    try:
        CronSim(cron, _ANY_TIME)
    except CronSimError as error:
        return str(error)
    return None


def _find_contradictions(window: WindowSection, minimum: int, maximum: int) -> Iterator[tuple[str, str]]:
    if window.minimum is not None and window.minimum < minimum:
        yield "minimum", f"{window.minimum} is below minimum {minimum} of the type, and a window only raises it; use processes to fix a lower number"
    for key in ("minimum", "maximum", "processes"):
        said = getattr(window, key)
        if said is not None and said > maximum:
            yield key, f"{said} is above maximum {maximum} of the type; raise that, or lower this"
