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
    bounds = [(_upper(limit, _size_before(situation, limit)), limit.period_seconds) for limit in direction.at_most]
    if not bounds:
        return None
    bound, period = max(bounds) if direction.select == "max" else min(bounds)
    bound = max(bound, situation.current)
    if processes <= bound:
        return None
    return Adjustment("rate_limit", processes, bound, _say(bound - situation.current, "more", period))


def _scale_in(situation: Situation, processes: int) -> Adjustment | None:
    direction: DirectionLimits = situation.settings.scale_in
    if direction.select == "disabled":
        return Adjustment("rate_limit", processes, situation.current, "scale-in is disabled")
    bounds = [(_lower(limit, _size_before(situation, limit)), limit.period_seconds) for limit in direction.at_most]
    if not bounds:
        return None
    bound, period = min(bounds) if direction.select == "max" else max(bounds)
    bound = min(bound, situation.current)
    if processes >= bound:
        return None
    return Adjustment("rate_limit", processes, bound, _say(situation.current - bound, "fewer", period))


def _size_before(situation: Situation, limit: RateLimit) -> int:
    """Return the size at the start of the period: today's, without the changes accepted since."""
    changes = situation.memory.changes
    since = [change for change in changes if situation.now - change.now < limit.period_seconds]
    return situation.current - sum(change.after - change.before for change in since)


def _upper(limit: RateLimit, size: int) -> int:
    if limit.unit == "processes":
        return size + limit.amount
    # A percentage of nothing must still let a type leave zero.
    return max(size + 1, ceiling_of_percent(size, 100 + limit.amount))


def _lower(limit: RateLimit, size: int) -> int:
    if limit.unit == "processes":
        return size - limit.amount
    return floor_of_percent(size, 100 - limit.amount)


def _say(amount: int, direction: str, period: float) -> str:
    if amount == 0:
        return f"no {direction} within {brief(period)} s of the last"
    return f"{amount} {direction} {'is' if amount == 1 else 'are'} the most in {brief(period)} s"
