"""Stage 7: share a limited number of processes among the types of a formation.

A process counts from the moment it is asked for until it has exited, draining ones included. The cap limits growth and takes
nothing away; with ``preempt`` lower priorities scale in, through their own windows and limits, for what higher ones lack.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from heapq import heapify, heappop, heapreplace

from autoscaler.decide.course import Course, take_course
from autoscaler.decide.exact import exact
from autoscaler.decide.settings import FormationCap
from autoscaler.decide.situation import Ceiling, Situation
from autoscaler.model import Adjustment, Counts


@dataclass(frozen=True, slots=True)
class _Claim:
    """What one type has and wants more, first of all to reach its minimum."""

    name: str
    priority: int
    weight: Fraction
    current: int
    urgent: int
    wanted: int


def share_out(cap: FormationCap, courses: Sequence[Course], others: int = 0) -> list[tuple[Course, Ceiling | None]]:
    """Return each course, changed where it must give way, with the ceiling that the cap sets it (``None``: it sets none).

    ``others`` counts the processes of types that were not observed now, as last known.
    """
    claims = {course.name: _claim(course) for course in courses}
    free = cap.total - others - sum(occupied(course.situation.observation.counts) for course in courses)
    granted = _grant(claims.values(), max(0, free))
    if cap.preempt:
        courses = _preempt(courses, claims, granted)
    return [(course, _ceiling(cap, claims[course.name], granted[course.name], free)) for course in courses]


def occupied(counts: Counts) -> int:
    """Count the processes of a type that are alive or asked for."""
    return max(counts.desired, counts.running + counts.starting + counts.failed + counts.unknown) + counts.draining


def _claim(course: Course) -> _Claim:
    situation = course.situation
    current = situation.current
    settings = situation.settings
    minimum = 0 if situation.memory.is_off else situation.minimum
    target = current if situation.pause.scale_out else max(course.processes, minimum)
    urgent = 0 if situation.pause.scale_out else max(0, minimum - current)
    return _Claim(course.name, settings.priority, exact(settings.weight), current, urgent, max(0, target - current))


def _grant(claims: Iterable[_Claim], free: int) -> dict[str, int]:
    """Give what is free to the minimums first, then by priority; equal priorities grow towards sizes in proportion to their weights."""
    granted = {claim.name: 0 for claim in claims}
    for wants in ({claim.name: claim.urgent for claim in claims}, {claim.name: claim.wanted for claim in claims}):
        for priority in sorted({claim.priority for claim in claims}, reverse=True):
            free -= _share([claim for claim in claims if claim.priority == priority], wants, granted, free)
    return granted


def _share(claims: list[_Claim], wants: Mapping[str, int], granted: dict[str, int], free: int) -> int:
    """Give one process after another to the type that has the fewest for its weight; return how many were given."""
    lacking = sum(max(0, wants[claim.name] - granted[claim.name]) for claim in claims)
    if lacking <= free:
        granted.update({claim.name: max(granted[claim.name], wants[claim.name]) for claim in claims})
        return lacking
    heap = [(_load(claim, granted), index) for index, claim in enumerate(claims) if wants[claim.name] > granted[claim.name]]
    heapify(heap)
    for _ in range(free):
        claim = claims[heap[0][1]]
        granted[claim.name] += 1
        if granted[claim.name] < wants[claim.name]:
            heapreplace(heap, (_load(claim, granted), heap[0][1]))
        else:
            heappop(heap)
    return free


def _load(claim: _Claim, granted: Mapping[str, int]) -> Fraction:
    return (claim.current + granted[claim.name] + 1) / claim.weight


def _ceiling(cap: FormationCap, claim: _Claim, granted: int, free: int) -> Ceiling | None:
    if granted >= claim.wanted:
        return None
    left = f"{max(0, free)} of {cap.total} processes are free"
    return Ceiling(claim.current + granted, "total", f"{left}, {granted} for {claim.name}")


def _preempt(courses: Sequence[Course], claims: Mapping[str, _Claim], granted: Mapping[str, int]) -> list[Course]:
    """Ask lower priorities to scale in for what higher ones lack and no draining process will give free."""
    lacks = {name: claim.wanted - granted[name] for name, claim in claims.items()}
    lowest_lacking = {name: sum(lacks[other.name] for other in claims.values() if other.priority > claim.priority) for name, claim in claims.items()}
    coming = sum(course.situation.observation.counts.draining for course in courses)
    return [
        _give_way(course, lowest_lacking[course.name], taken)
        for course, taken in zip(courses, _take(courses, claims, lowest_lacking, coming), strict=True)
    ]


def _take(courses: Sequence[Course], claims: Mapping[str, _Claim], lacking: Mapping[str, int], coming: int) -> list[int]:
    """Say how many each type must give up: the lowest priority first, none below its minimum, those that scale in anyway counted."""
    taken = [max(0, course.situation.current - course.processes) for course in courses]
    order = sorted(range(len(courses)), key=lambda index: (claims[courses[index].name].priority, -_size_for_weight(courses[index])))
    for index in order:
        course = courses[index]
        short = lacking[course.name] - coming - sum(taken)
        spare = 0 if course.situation.pause.scale_in else course.situation.current - taken[index] - course.situation.minimum
        taken[index] += max(0, min(short, spare))
    return taken


def _size_for_weight(course: Course) -> Fraction:
    return course.situation.current / exact(course.situation.settings.weight)


def _give_way(course: Course, lacking: int, taken: int) -> Course:
    if lacking <= 0:
        return course
    most = course.situation.current - taken
    demand = partial(_demand, most=most, lacking=lacking)
    return take_course(course.situation, course.answers, course.proposal, (demand,))


def _demand(situation: Situation, processes: int, *, most: int, lacking: int) -> Adjustment | None:
    if processes <= most:
        return None
    return Adjustment(
        "preempt",
        processes,
        most,
        f"{lacking} more {'is' if lacking == 1 else 'are'} wanted with a higher priority than {situation.settings.priority}",
    )
