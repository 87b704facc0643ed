"""Choose on which host a process starts, and which process stops: spread, and from the fullest."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """One host, as far as a process type may have processes there."""

    host: str
    of_type: int  # processes of the type there now
    in_all: int  # processes of all types there now
    weight: float = 1.0
    room: int | None = None  # for how many more there is memory, or a unit file; None: no limit is known


@dataclass(frozen=True, slots=True)
class Candidate:
    """One process that may be stopped."""

    host: str
    number: int
    is_up: bool = True  # its host answers; one that does not cannot be told to stop it
    has_failed: bool = False
    load: float | None = None  # how busy it is; None: no reading tells


def spread(places: Iterable[Place], count: int) -> list[str]:
    """Return the host of each new process: where the fewest of the type are, then the fewest in all, by weight; fewer when room ends."""
    heap = [(_fullness(place, 0), order, 0, place) for order, place in enumerate(places) if place.room is None or place.room > 0]
    heapq.heapify(heap)
    chosen: list[str] = []
    while heap and len(chosen) < count:
        _, order, added, place = heapq.heappop(heap)
        chosen.append(place.host)
        added += 1
        if place.room is None or added < place.room:
            heapq.heappush(heap, (_fullness(place, added), order, added, place))
    return chosen


def choose_leavers(candidates: Sequence[Candidate], places: Iterable[Place], count: int) -> list[Candidate]:
    """Return the processes to stop: those that failed, those out of reach, the idlest where a reading tells; then from the fullest host.

    On a host the highest number goes first.
    """
    known = {place.host: place for place in places}
    removed: Counter[str] = Counter()
    left = list(candidates)
    has_loads = any(candidate.load is not None for candidate in candidates)
    leavers: list[Candidate] = []
    while left and len(leavers) < count:
        leaver = min(left, key=lambda one: (*_worth(one, has_loads=has_loads), *_emptiness(known.get(one.host), removed[one.host]), -one.number))
        left.remove(leaver)
        leavers.append(leaver)
        removed[leaver.host] += 1
    return leavers


def _fullness(place: Place, added: int) -> tuple[float, float]:
    return ((place.of_type + added) / place.weight, (place.in_all + added) / place.weight)


def _emptiness(place: Place | None, removed: int) -> tuple[float, float]:
    of_type, in_all = _fullness(place, -removed) if place else (0.0, 0.0)
    return (-of_type, -in_all)


def _worth(candidate: Candidate, *, has_loads: bool) -> tuple[int, float]:
    """Return what is lost with a process: nothing with a failed one, what is not known with one out of reach, else its load."""
    rank = 0 if candidate.has_failed else 1 if not candidate.is_up else 2
    load = candidate.load if candidate.load is not None else float("inf")
    return rank, load if has_loads else 0.0
