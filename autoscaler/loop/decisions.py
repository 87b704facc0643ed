"""Decide for all types of a formation, and remember what the next tick needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace

from autoscaler.decide.asking import Asking
from autoscaler.decide.course import Course, begin_course, end_course, reach
from autoscaler.decide.formation_cap import Others, share_out
from autoscaler.decide.memory import Memory, forget_sizes, last_size
from autoscaler.decide.settings import Pause, TypeSettings
from autoscaler.decide.situation import Ceiling
from autoscaler.events import BoardEntry
from autoscaler.loop.guard import guard
from autoscaler.loop.values import ask_guarded, observation_of
from autoscaler.loop.watch import Seen
from autoscaler.model import Decision, Json, TypeFormation
from autoscaler.settings import Settings

_GUARDED = Asking(ask_guarded, guard)


@dataclass(frozen=True, slots=True)
class Moment:
    """What one tick knows when it decides."""

    now: float
    at: float
    seen: Seen
    board: Mapping[str, BoardEntry]
    pauses: Mapping[str, Pause]
    promised: dict[str, int] = field(default_factory=dict)  # bytes of each backend's free memory, to types that grow on this tick


class Decisions:
    """The past of every type, and the decisions that follow from it."""

    def __init__(self) -> None:
        """Begin without a past."""
        self._memories: dict[str, Memory] = {}

    def decide(self, settings: Settings, moment: Moment) -> tuple[tuple[Decision, ...], dict[str, str]]:
        """Decide for every type that was seen; return the decisions, and by type why there is none."""
        courses: dict[str, Course] = {}
        errors: dict[str, str] = {}
        for one in sorted(settings.types, key=_by_priority):
            if one.name in moment.seen.types:
                course = guard(lambda: self._begin(one, moment), str)  # noqa: B023 - called at once
                if isinstance(course, str):
                    errors[one.name] = f"not decided: {course}"
                else:
                    courses[one.name] = course
        ordered = [courses[one.name] for one in settings.types if one.name in courses]
        return tuple([self._end(course, ceiling) for course, ceiling in self._share_out(settings, ordered)]), errors

    def state(self) -> dict[str, Json]:
        """Return the past of every type as plain values."""
        return {name: asdict(memory) for name, memory in self._memories.items()}

    def keep(self, names: set[str], stays: Callable[[str], bool]) -> None:
        """Forget types that are gone; of one that does not stay on its backend, keep what its policies remember."""
        self._memories = {name: memory if stays(name) else forget_sizes(memory) for name, memory in self._memories.items() if name in names}

    def _begin(self, one: TypeSettings, moment: Moment) -> Course:
        seen = _less(moment.seen.types[one.name], moment.promised.get(one.backend, 0))
        observation = observation_of(one, seen, moment.board, moment.now, moment.at)
        course = begin_course(one, observation, self._memories.get(one.name) or Memory(), moment.pauses.get(one.name) or one.pause, _GUARDED)
        grown = reach(course, course.processes) - course.situation.current if one.process_type.memory_bytes else 0
        if grown > 0:
            promised = moment.promised.get(one.backend, 0) + grown * (one.process_type.memory_bytes or 0)
            moment.promised[one.backend] = promised
        return course

    def _share_out(self, settings: Settings, courses: list[Course]) -> list[tuple[Course, Ceiling | None]]:
        if settings.cap is None:
            return [(course, None) for course in courses]
        return share_out(settings.cap, courses, self._others(settings, {course.name for course in courses}))

    def _others(self, settings: Settings, known: set[str]) -> Others:
        """Count the processes of types that are not decided now."""
        memories = [self._memories.get(one.name) for one in settings.types if one.name not in known]
        return Others(sum(last_size(memory) for memory in memories if memory), are_known=all(memories))

    def _end(self, course: Course, ceiling: Ceiling | None) -> Decision:
        decision, self._memories[course.name] = end_course(course, ceiling)
        return decision


def _by_priority(one: TypeSettings) -> int:
    return -one.priority


def _less(seen: TypeFormation, promised: int) -> TypeFormation:
    """Take what was promised to others on this tick from the free memory."""
    if not promised or seen.free_memory_bytes is None:
        return seen
    return replace(seen, free_memory_bytes=seen.free_memory_bytes - promised)
