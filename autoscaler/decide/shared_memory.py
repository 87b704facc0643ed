"""Share the free memory of a host among the types that would grow on one tick: minimums first, then by priority."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from autoscaler.decide.course import Course, reach, take_course
from autoscaler.decide.room import ceiling_of


def share_memory(courses: Sequence[Course], free_bytes: int) -> list[Course]:
    """Return the courses of the types of one host, those with less room whom others come before.

    Each type says how much memory one process needs (``ProcessType.memory_bytes``).
    """
    wanted = {course.name: max(0, reach(course, course.processes) - course.situation.current) for course in courses}
    if sum(wanted[course.name] * _each(course) for course in courses) <= free_bytes:
        return list(courses)
    urgent = {course.name: min(wanted[course.name], max(0, course.situation.minimum - course.situation.current)) for course in courses}
    granted, left = _grant(courses, urgent, dict.fromkeys(wanted, 0), free_bytes)
    granted, _ = _grant(courses, wanted, granted, left)
    return [course if granted[course.name] == wanted[course.name] else _with_room(course, granted[course.name]) for course in courses]


def _each(course: Course) -> int:
    return course.situation.observation.process_type.memory_bytes or 1


def _grant(courses: Sequence[Course], wants: Mapping[str, int], granted: Mapping[str, int], free_bytes: int) -> tuple[dict[str, int], int]:
    """Give each type, the highest priority first, what it wants beyond what it has, as far as the memory goes."""
    given = dict(granted)
    for course in sorted(courses, key=lambda course: -course.situation.settings.priority):
        more = max(0, min(wants[course.name] - given[course.name], free_bytes // _each(course)))
        given[course.name] += more
        free_bytes -= more * _each(course)
    return given, free_bytes


def _with_room(course: Course, room: int) -> Course:
    observation = replace(course.situation.observation, room=room)
    return take_course(replace(course.situation, observation=observation, ceiling=ceiling_of(observation)), course.proposal, ())
