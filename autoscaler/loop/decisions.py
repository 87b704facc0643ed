"""Decide for all types of a formation, and remember what the next tick needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace

from autoscaler.decide.asking import Asking
from autoscaler.decide.course import Course, begin_course, end_course
from autoscaler.decide.formation_cap import Others, share_out
from autoscaler.decide.memory import Memory, SizeChange, forget_sizes, last_size
from autoscaler.decide.settings import Pause, TypeSettings
from autoscaler.decide.shared_memory import share_memory
from autoscaler.decide.situation import Ceiling
from autoscaler.events import BoardEntry
from autoscaler.loop.guard import guard
from autoscaler.loop.values import ask_guarded, observation_of
from autoscaler.loop.watch import Seen
from autoscaler.model import Decision, Json, Observation
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


@dataclass(frozen=True, slots=True)
class Decided:
    """What one tick decided."""

    decisions: tuple[Decision, ...]
    errors: Mapping[str, str]  # by process type: why there is no decision
    limits: Mapping[str, tuple[int, int]]  # by process type: the fewest and the most at this moment


class Decisions:
    """The past of every type, and the decisions that follow from it."""

    def __init__(self, memories: Mapping[str, Memory] | None = None) -> None:
        """Begin with these memories by process type, or without a past."""
        self._memories: dict[str, Memory] = dict(memories or {})

    def decide(self, settings: Settings, moment: Moment) -> Decided:
        """Decide for every type that was seen."""
        seen = moment.seen.types
        courses, errors = self._begin(
            [one for one in settings.types if one.name in seen],
            lambda one: observation_of(one, seen[one.name], moment.board, moment.now, moment.at),
            moment.pauses,
        )
        _share_memory(settings, moment.seen, courses)
        return self._conclude(settings, courses, errors)

    def decide_observed(self, settings: Settings, observations: Mapping[str, Observation], pauses: Mapping[str, Pause]) -> Decided:
        """Decide again on recorded observations, by process type; their room is each type's share of the free memory already."""
        observed = [one for one in settings.types if one.name in observations]
        return self._conclude(settings, *self._begin(observed, lambda one: observations[one.name], pauses))

    def take_as_asked(self, changes: Mapping[str, SizeChange | None]) -> None:
        """Remember what the backend was really asked for, by process type, in place of what was decided last; ``None``: nothing."""
        for name in changes.keys() & self._memories.keys():
            if self._memories[name].asked != changes[name]:
                self._memories[name] = replace(self._memories[name], asked=changes[name])

    def state(self) -> dict[str, Json]:
        """Return the past of every type as plain values."""
        return {name: asdict(memory) for name, memory in self._memories.items()}

    def keep(self, names: set[str], stays: Callable[[str], bool]) -> None:
        """Forget types that are gone; of one that does not stay on its backend, keep what its policies remember."""
        self._memories = {name: memory if stays(name) else forget_sizes(memory) for name, memory in self._memories.items() if name in names}

    def _begin(
        self, types: Iterable[TypeSettings], observe: Callable[[TypeSettings], Observation], pauses: Mapping[str, Pause]
    ) -> tuple[dict[str, Course], dict[str, str]]:
        """Return how far each type comes alone, and why one of them does not."""
        courses: dict[str, Course] = {}
        errors: dict[str, str] = {}
        for one in types:
            memory, pause = self._memories.get(one.name) or Memory(), pauses.get(one.name) or one.pause
            course = guard(lambda: begin_course(one, observe(one), memory, pause, _GUARDED), str)  # noqa: B023 - called at once
            if isinstance(course, str):
                errors[one.name] = f"not decided: {course}"
            else:
                courses[one.name] = course
        return courses, errors

    def _conclude(self, settings: Settings, courses: dict[str, Course], errors: dict[str, str]) -> Decided:
        limits = {course.name: (course.situation.minimum, course.situation.maximum) for course in courses.values()}
        shared = self._share_out(settings, list(courses.values()))
        return Decided(tuple([self._end(course, ceiling) for course, ceiling in shared]), errors, limits)

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


def _share_memory(settings: Settings, seen: Seen, courses: dict[str, Course]) -> None:
    """Let the types of a backend that would grow share its free memory."""
    limited = [one for one in settings.types if one.name in courses and courses[one.name].situation.observation.room is not None]
    for backend in dict.fromkeys(one.backend for one in limited):
        names = [one.name for one in limited if one.backend == backend]
        free = min(seen.types[name].free_memory_bytes or 0 for name in names)
        courses.update({course.name: course for course in share_memory([courses[name] for name in names], max(0, free))})
