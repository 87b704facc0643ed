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

from autoscaler.decide.course import Course, reach, take_course
from autoscaler.decide.exact import exact
from autoscaler.decide.settings import FormationCap
from autoscaler.decide.situation import Ceiling, Situation
from autoscaler.model import Adjustment


@dataclass(frozen=True, slots=True)
class _Claim:
    """What one type has and wants more, first of all to reach its minimum."""

    name: str
    priority: int
    weight: Fraction
    current: int
    urgent: int
    wanted: int  # that may be granted
    target: int  # that it would reach without a cap


@dataclass(frozen=True, slots=True)
class Others:
    """The types that are not decided now: their processes as last known, and whether each was ever seen."""

    processes: int = 0
    are_known: bool = True  # while one was never seen, nobody grows beyond a minimum


NOBODY = Others()


def share_out(cap: FormationCap, courses: Sequence[Course], others: Others = NOBODY) -> list[tuple[Course, Ceiling | None]]:
    """Return each course, changed where it must give way, with the ceiling that the cap sets it (``None``: it sets none)."""
    claims = {course.name: _claim(course, others) for course in courses}
    free = cap.total - others.processes - sum(course.situation.memory.occupied for course in courses)
    granted = _grant(claims.values(), max(0, free))
    if cap.preempt:
        courses = _preempt(courses, claims, granted)
    return [(course, _ceiling(cap, claims[course.name], granted[course.name], free)) for course in courses]


def _claim(course: Course, others: Others) -> _Claim:
    situation = course.situation
    settings, current = situation.settings, situation.current
    target = reach(course, course.processes)
    urgent = max(0, min(target, situation.minimum) - current)
    wanted = max(0, target - current) if others.are_known else urgent
    return _Claim(course.name, settings.priority, exact(settings.weight), current, urgent, wanted, target)


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
    if claim.current + granted >= claim.target:
        return None
    if granted == claim.wanted:
        return Ceiling(claim.current + granted, "total", f"not every type was seen yet, and {cap.total} processes are the most of all")
    left = f"{max(0, free)} of {cap.total} processes are free"
    return Ceiling(claim.current + granted, "total", f"{left}, {granted} for {claim.name}")


def _preempt(courses: Sequence[Course], claims: Mapping[str, _Claim], granted: Mapping[str, int]) -> list[Course]:
    """Ask lower priorities to scale in for what higher ones lack and no draining process will give free."""
    lacks = {course.name: _lack(course, granted[course.name]) for course in courses}
    lacking = {name: sum(lacks[other.name] for other in claims.values() if other.priority > claim.priority) for name, claim in claims.items()}
    taken = _take(courses, claims, lacking)
    return [_give_way(course, lacking[course.name], given) for course, given in zip(courses, taken, strict=True)]


def _lack(course: Course, granted: int) -> int:
    """Count what a type wants beyond what it is granted, however fast it may grow."""
    return max(0, reach(course, max(course.wished, course.processes)) - course.situation.current - granted)


def _take(courses: Sequence[Course], claims: Mapping[str, _Claim], lacking: Mapping[str, int]) -> list[int]:
    """Say how many each type must give up: the lowest priority first, none below its minimum, those that scale in anyway counted."""
    coming = sum(course.situation.observation.counts.draining for course in courses)
    taken = [max(0, course.situation.current - reach(course, course.processes)) for course in courses]
    order = sorted(range(len(courses)), key=lambda index: (claims[courses[index].name].priority, -_size_for_weight(courses[index])))
    for index in order:
        course = courses[index]
        short = lacking[course.name] - coming - sum(taken)
        least = reach(course, 0)  # what its minimum, or a pause, lets it go down to
        taken[index] += max(0, min(short, course.situation.current - taken[index] - least))
    return taken


def _size_for_weight(course: Course) -> Fraction:
    return course.situation.current / exact(course.situation.settings.weight)


def _give_way(course: Course, lacking: int, taken: int) -> Course:
    if lacking <= 0:
        return course
    most = course.situation.current - taken
    demand = partial(_demand, most=most, lacking=lacking)
    return take_course(course.situation, course.proposal, (demand,))


def _demand(situation: Situation, processes: int, *, most: int, lacking: int) -> Adjustment | None:
    if processes <= most:
        return None
    return Adjustment(
        "preempt",
        processes,
        most,
        f"{lacking} more {'is' if lacking == 1 else 'are'} wanted with a higher priority than {situation.settings.priority}",
    )
