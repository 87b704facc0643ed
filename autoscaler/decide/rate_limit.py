"""Stage 5: at most so many processes, or percent, in a period, counting the changes that were accepted in it.

After Kubernetes HPA v2, ``behavior.policies`` (2020), in whole numbers: its floats are off by one at 860 of 200,000 places.
"""

from __future__ import annotations

from autoscaler.decide.exact import brief, ceiling_of_percent, floor_of_percent
from autoscaler.decide.settings import DirectionLimits, RateLimit
from autoscaler.decide.situation import Situation
from autoscaler.model import Adjustment


def limit_rate(situation: Situation, processes: int) -> Adjustment | None:
    """Hold a change to what its direction allows in its periods; a limit never undoes what is there."""
    if processes > situation.current:
        return _scale_out(situation, processes)
    return _scale_in(situation, processes) if processes < situation.current else None


def _scale_out(situation: Situation, processes: int) -> Adjustment | None:
    direction = situation.settings.scale_out
    if direction.select == "disabled":
        return Adjustment("rate_limit", processes, situation.current, "scale-out is disabled")
    bounds = [(_upper(limit, situation.current - _added(situation, limit)), limit) for limit in direction.at_most]
    if not bounds:
        return None
    bound, limit = (max if direction.select == "max" else min)(bounds, key=_first)
    bound = max(bound, situation.current)
    if processes <= bound:
        return None
    return Adjustment("rate_limit", processes, bound, _say(situation, bound - situation.current, "more", limit))


def _scale_in(situation: Situation, processes: int) -> Adjustment | None:
    direction: DirectionLimits = situation.settings.scale_in
    if direction.select == "disabled":
        return Adjustment("rate_limit", processes, situation.current, "scale-in is disabled")
    bounds = [(_lower(limit, situation.current - _added(situation, limit)), limit) for limit in direction.at_most]
    if not bounds:
        return None
    bound, limit = (min if direction.select == "max" else max)(bounds, key=_first)
    bound = min(bound, situation.current)
    if processes >= bound:
        return None
    return Adjustment("rate_limit", processes, bound, _say(situation, situation.current - bound, "fewer", limit))


def _added(situation: Situation, limit: RateLimit) -> int:
    """Count what was added in the period by accepted changes; negative when more was removed."""
    return sum(change.after - change.before for change in situation.memory.changes if situation.now - change.now < limit.period_seconds)


def _first(bound: tuple[int, RateLimit]) -> int:
    return bound[0]


def _upper(limit: RateLimit, size: int) -> int:
    if limit.unit == "processes":
        return size + limit.amount
    # A percentage of nothing must still let a type leave zero.
    return max(size + 1, ceiling_of_percent(size, 100 + limit.amount))


def _lower(limit: RateLimit, size: int) -> int:
    if limit.unit == "processes":
        return size - limit.amount
    return floor_of_percent(size, 100 - limit.amount)


def _say(situation: Situation, amount: int, direction: str, limit: RateLimit) -> str:
    added, period = _added(situation, limit), brief(limit.period_seconds)
    so_far = f", {abs(added)} {_was(added)} {'added' if added > 0 else 'removed'} in it" if added else ""
    if amount == 0:
        return f"no {direction} in {period} s{so_far}"
    return f"{amount} {direction} {'is' if amount == 1 else 'are'} the most in {period} s{so_far}"


def _was(processes: int) -> str:
    return "was" if abs(processes) == 1 else "were"
