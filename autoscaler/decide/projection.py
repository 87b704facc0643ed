"""Guard of stage 6: scale in only as far as the same load, spread over fewer processes, calls for no scale-out.

After Azure Monitor autoscale, which estimates the reading ``m`` of ``n`` processes as ``m x n / (n - k)`` before it removes ``k`` (2015).
"""

from __future__ import annotations

from functools import cache
from typing import cast

from autoscaler.decide.policy import Policy, Projects
from autoscaler.decide.settings import NamedPolicy
from autoscaler.decide.situation import Situation
from autoscaler.model import Adjustment, MissingReadingError


def hold_projected(situation: Situation, processes: int) -> Adjustment | None:
    """Stop a scale-in at the smallest size that no policy would scale out from; to 0 there is nothing to project."""
    if processes >= situation.current or processes < 1:
        return None
    policies = [named for named in situation.settings.policies if _projects(type(named.policy))]
    if not policies:
        return None
    wanted = _wanted(policies, situation, processes)
    if wanted <= processes:
        return None
    held = next((size for size in range(processes + 1, situation.current) if _wanted(policies, situation, size) <= size), situation.current)
    return Adjustment("projection", processes, held, f"with {processes} the same load would call for {wanted}")


def _wanted(policies: list[NamedPolicy], situation: Situation, processes: int) -> int:
    return max(_projected(named.policy, situation, processes) for named in policies)


def _projected(policy: Policy, situation: Situation, processes: int) -> int:
    try:
        return cast(Projects, policy).projected(situation.observation, processes)
    except MissingReadingError:
        return 0  # it has its say as a missing policy


@cache
def _projects(kind: type) -> bool:
    return callable(getattr(kind, "projected", None))
