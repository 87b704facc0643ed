"""Guard of stage 6: scale in only as far as the same load, spread over fewer processes, calls for no scale-out.

After Azure Monitor autoscale, which estimates the reading ``m`` of ``n`` processes as ``m x n / (n - k)`` before it removes ``k`` (2015).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import cache
from typing import TypeAlias, cast

from autoscaler.decide.policy import Projects
from autoscaler.decide.settings import Combine
from autoscaler.decide.situation import Situation
from autoscaler.model import Adjustment, MissingReadingError, Recommendation

Counted: TypeAlias = tuple[tuple[int, int], ...]

_COMBINED: dict[Combine, Callable[[list[int]], int]] = {"max": max, "min": min, "sum": sum, "first": lambda wanted: wanted[0]}


def hold_projected(situation: Situation, processes: int, counted: Counted, most: int) -> Adjustment | None:
    """Stop a scale-in at the smallest size that the policies together would not scale out from; to 0 there is nothing to project.

    ``counted`` names the policies that were combined by their place, with the number each stands for; beyond ``most`` nothing is held.
    """
    if not 1 <= processes < most or not any(_projects(type(named.policy)) for named in situation.settings.policies):
        return None
    return situation.asking.attempt(
        lambda: _hold(situation, processes, counted, most),
        lambda cause: Adjustment("projection", processes, most, f"not projected: {cause}"),
    )


def _hold(situation: Situation, processes: int, counted: Counted, most: int) -> Adjustment | None:
    wanted = _wanted(situation, processes, counted)
    if wanted <= processes:
        return None
    # Fewer are wanted the more there are, so that the first size that suffices is found by halving.
    between = range(processes + 1, most)
    held = processes + 1 + bisect_left(between, 0, key=lambda size: size - _wanted(situation, size, counted))
    return Adjustment("projection", processes, held, f"with {processes} the same load would call for {wanted}")


def _wanted(situation: Situation, processes: int, counted: Counted) -> int:
    """Combine what the policies would want as they are combined now; those that cannot project stay with their number."""
    wanted = [_projected(situation, place, number, processes) for place, number in counted]
    return _COMBINED[situation.settings.combine](wanted) if wanted else 0


def _projected(situation: Situation, place: int, number: int, processes: int) -> int:
    policy = situation.settings.policies[place].policy
    if not _projects(type(policy)) or not isinstance(situation.answers[place].answer, Recommendation):
        return number
    try:
        return cast(Projects, policy).projected(situation.observation, processes)
    except MissingReadingError:
        return number


@cache
def _projects(kind: type) -> bool:
    return callable(getattr(kind, "projected", None))
