"""Stage 1: turn the answers of a type's policies into one number."""

from __future__ import annotations

from dataclasses import dataclass

from autoscaler.decide.settings import WhenMissing
from autoscaler.decide.situation import Situation
from autoscaler.model import Adjustment, Missing, PolicyAnswer, Recommendation


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the policies want together."""

    processes: int
    reason: str
    adjustment: Adjustment | None = None
    is_without_data: bool = False  # no policy had its data: the current size stands, and the windows record it
    counted: tuple[tuple[int, int], ...] = ()  # the policies that counted, by their place, and the number each stands for


@dataclass(frozen=True, slots=True)
class _Wish:
    place: int  # of the policy
    processes: int
    reason: str
    floor: int = 0  # of a wish that stands in for missing data: the whole may not fall below it


def combine(situation: Situation) -> Proposal:
    """Combine the answers by ``max``, ``min``, ``sum`` or ``first``; missing data never scales in, abstaining ones do not count."""
    wishes, missing = _sort_out(situation, situation.answers)
    if not wishes and missing:
        return Proposal(situation.current, f"{_name(missing)}; holding {situation.current}", is_without_data=True)
    if not wishes:
        return _minimum(situation, situation.answers)
    wish = _choose(situation, wishes)
    counted = tuple([(one.place, one.processes) for one in wishes])
    if missing:
        return _guard(situation, wish, missing, counted)
    return _keep_floor(situation, wish, max([one.floor for one in wishes]), counted)


def _sort_out(situation: Situation, answers: tuple[PolicyAnswer, ...]) -> tuple[list[_Wish], list[Missing]]:
    wishes: list[_Wish] = []
    missing: list[Missing] = []
    for place, (named, given) in enumerate(zip(situation.settings.policies, answers, strict=True)):
        answer = given.answer
        if isinstance(answer, Recommendation):
            wishes.append(_Wish(place, answer.processes, answer.reason))
        elif isinstance(answer, Missing):
            wish = _stand_in(named.when_missing, answer, situation.current, place)
            if wish is None:
                missing.append(answer)
            else:
                wishes.append(wish)
        if wishes and not missing and situation.settings.combine == "first":
            break  # the first that has something to say decides; what comes later is not asked for
    return wishes, missing


def _stand_in(rule: WhenMissing, answer: Missing, current: int, place: int) -> _Wish | None:
    """Wish in place of a policy without its data; ``None`` when the size is held."""
    if rule.do == "hold":
        return None
    if rule.do == "processes":
        return _Wish(place, rule.processes, f"{answer.reason}; {rule.processes} when missing")
    if rule.do == "at_most":
        return _Wish(place, 0, f"{answer.reason}; at most {rule.processes} when missing", floor=min(current, rule.processes))
    return _Wish(place, rule.processes, f"{answer.reason}; at least {rule.processes} when missing", floor=current)


def _choose(situation: Situation, wishes: list[_Wish]) -> _Wish:
    if situation.settings.combine == "sum" and len(wishes) > 1:
        total = sum(wish.processes for wish in wishes)
        return _Wish(0, total, f"{' + '.join(str(wish.processes) for wish in wishes)} = {total}: " + ", ".join(wish.reason for wish in wishes))
    if situation.settings.combine == "min":
        return min(wishes, key=lambda wish: wish.processes)
    if situation.settings.combine == "first":
        return wishes[0]
    return max(wishes, key=lambda wish: wish.processes)


def _keep_floor(situation: Situation, wish: _Wish, floor: int, counted: tuple[tuple[int, int], ...]) -> Proposal:
    if wish.processes >= floor:
        return Proposal(wish.processes, wish.reason, counted=counted)
    rule = "no scale-in" if floor == situation.current else "no fewer"
    return Proposal(wish.processes, wish.reason, Adjustment("missing", wish.processes, floor, f"{rule} on missing data: {floor}"), counted=counted)


def _guard(situation: Situation, wish: _Wish, missing: list[Missing], counted: tuple[tuple[int, int], ...]) -> Proposal:
    current = situation.current
    may_grow = situation.settings.combine in {"max", "sum"}
    if wish.processes == current or (may_grow and wish.processes > current):
        return Proposal(wish.processes, wish.reason, counted=counted)
    rule = "no scale-in" if may_grow else f"{situation.settings.combine} holds"
    reason = f"{_name(missing)}: {rule} on missing data"
    return Proposal(wish.processes, wish.reason, Adjustment("missing", wish.processes, current, reason), counted=counted)


def _minimum(situation: Situation, answers: tuple[PolicyAnswer, ...]) -> Proposal:
    minimum = situation.settings.process_type.minimum
    if not answers:
        return Proposal(minimum, f"no policies: the minimum {minimum}")
    said = "; ".join(given.answer.reason for given in answers)
    return Proposal(minimum, f"{said}; all abstain: the minimum {minimum}")


def _name(missing: list[Missing]) -> str:
    return "; ".join(dict.fromkeys(answer.reason for answer in missing))
