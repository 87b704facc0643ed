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

from autoscaler.decide.cooldown import cool_down
from autoscaler.decide.course import GUARDS, Course, apply_rules, reach, take_course
from autoscaler.decide.exact import exact
from autoscaler.decide.limits import keep_off
from autoscaler.decide.settings import FormationCap
from autoscaler.decide.situation import Ceiling, Situation
from autoscaler.decide.stabilization import stabilize
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
    if cap.preempt and others.are_known:
        courses = _preempt(courses, claims, granted, max(0, free))
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
    if free < 0:
        return Ceiling(
            claim.current, "formation_cap", f"{cap.total - free} processes are alive and {cap.total} are the most: nothing grows", is_exceeded=True
        )
    if claim.current + granted >= claim.target:
        return None
    if granted == claim.wanted:
        return Ceiling(claim.current + granted, "formation_cap", f"not every type was seen yet, and {cap.total} processes are the most of all")
    left = f"{max(0, free)} of {cap.total} processes are free"
    return Ceiling(claim.current + granted, "formation_cap", f"{left}, {granted} for {claim.name}")


def _preempt(courses: Sequence[Course], claims: Mapping[str, _Claim], granted: Mapping[str, int], free: int) -> list[Course]:
    """Ask lower priorities to scale in for what higher ones lack, and nothing that is free or drains will give."""
    lacks = {course.name: _lack(course, granted[course.name]) for course in courses}
    lacking = {name: _lacking(claim, claims.values(), lacks, granted, free) for name, claim in claims.items()}
    taken = _take(courses, lacking)
    return [_give_way(course, lacking[course.name] + granted[course.name], taken[course.name]) for course in courses]


def _lack(course: Course, granted: int) -> int:
    """Count what a type wants and could have beyond what it is granted, however fast its rate limits let it grow."""
    situation = course.situation
    if situation.settings.scale_out.select == "disabled":
        return 0
    _, wish = apply_rules((keep_off, stabilize, cool_down, *GUARDS), situation, (), max(course.wished, course.processes))
    return max(0, reach(course, wish) - situation.current - granted)


def _lacking(claim: _Claim, claims: Iterable[_Claim], lacks: Mapping[str, int], granted: Mapping[str, int], free: int) -> int:
    """Count what higher priorities lack beyond what they leave free for now; negative when room is left."""
    higher = [other.name for other in claims if other.priority > claim.priority]
    return sum(lacks[name] for name in higher) - (free - sum(granted[name] for name in higher))


def _take(courses: Sequence[Course], lacking: Mapping[str, int]) -> dict[str, int]:
    """Say how many each type must give up: the lowest priority first, none below its minimum, those that scale in anyway counted."""
    coming = sum(course.situation.observation.counts.draining for course in courses)
    taken = {course.name: max(0, course.situation.current - reach(course, course.processes)) for course in courses}
    for priority in sorted({course.situation.settings.priority for course in courses}):
        equals = [course for course in courses if course.situation.settings.priority == priority]
        _take_from(equals, taken, lacking[equals[0].name] - coming - sum(taken.values()))
    return taken


def _take_from(equals: Sequence[Course], taken: dict[str, int], short: int) -> None:
    """Take one process after another from the type that has the most for its weight."""
    least = {course.name: reach(course, 0) for course in equals}  # what its minimum, or a pause, lets it go down to
    for _ in range(short):
        able = [course for course in equals if course.situation.current - taken[course.name] > least[course.name]]
        if not able:
            return
        taken[max(able, key=lambda course: _size_for_weight(course, taken)).name] += 1


def _size_for_weight(course: Course, taken: Mapping[str, int]) -> Fraction:
    return (course.situation.current - taken[course.name]) / exact(course.situation.settings.weight)


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
