"""From an observation to a decision: ask the policies, then let every rule have its say, in one fixed order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from autoscaler.decide.combine import Proposal, combine
from autoscaler.decide.cooldown import cool_down
from autoscaler.decide.limits import keep_off, limit
from autoscaler.decide.memory import Memory, SizeChange, must_wait_for_windows, recall
from autoscaler.decide.pause import hold_paused
from autoscaler.decide.rate_limit import limit_rate
from autoscaler.decide.settings import NamedPolicy, Pause, TypeSettings
from autoscaler.decide.situation import Rule, Situation
from autoscaler.decide.stabilization import stabilize
from autoscaler.decide.window import Sized, push_highest, push_lowest
from autoscaler.model import (
    Abstain,
    Action,
    Adjustment,
    Answer,
    AutoscalerError,
    Decision,
    Json,
    Missing,
    MissingReadingError,
    Observation,
    PolicyAnswer,
    Recommendation,
)

# The order is the design's: a later rule has the last word. Stages 2, 6 and 7 take their places here.
RULES: tuple[Rule, ...] = (keep_off, stabilize, cool_down, limit_rate, limit, hold_paused)

_MOST_PROCESSES = 2**31 - 1

Ask = Callable[[NamedPolicy, Observation, Json], Answer]


class PolicyError(AutoscalerError):
    """A policy broke its contract."""


def ask(named: NamedPolicy, observation: Observation, memory: Json) -> Answer:
    """Ask one policy; a reading it needs and does not find makes its answer ``Missing``, and it keeps its memory."""
    try:
        answer = named.policy.recommend(observation, memory)
    except MissingReadingError as missing:
        return Missing(missing.metric, missing.cause, memory)
    return _checked(answer)


def _checked(answer: object) -> Answer:
    """Refuse what breaks the contract, and keep a huge or negative count within what a backend can be told."""
    if not isinstance(answer, Recommendation | Abstain | Missing) or not isinstance(answer.reason, str):
        raise PolicyError(f"answered {answer!r}, which is no Recommendation, Abstain or Missing with a reason")
    if not isinstance(answer, Recommendation):
        return answer
    if type(answer.processes) is not int:
        raise PolicyError(f"recommended {answer.processes!r}, which is no whole number of processes")
    if 0 <= answer.processes <= _MOST_PROCESSES:
        return answer
    return replace(answer, processes=min(max(0, answer.processes), _MOST_PROCESSES))


def decide(
    settings: TypeSettings, observation: Observation, memory: Memory, *, pause: Pause | None = None, ask: Ask = ask
) -> tuple[Decision, Memory]:
    """Decide how many processes of one type should run; the returned memory belongs to the next tick.

    ``pause`` stands in for the configuration's; ``ask`` is what calls a policy, so that a caller can guard it.
    """
    memory = _recall_gap(settings, observation, recall(settings, observation, memory))
    observation = replace(observation, ready_history=memory.ready)
    answers = tuple(PolicyAnswer(named.name, ask(named, observation, memory.policies.get(named.name))) for named in settings.policies)
    situation = Situation(settings, observation, memory, settings.pause if pause is None else pause)
    proposal = combine(situation, answers)
    adjustments = _adjust(situation, proposal)
    target = adjustments[-1].after if adjustments else proposal.processes
    decision = Decision(observation, answers, adjustments, target, *_conclude(situation, proposal, adjustments, target))
    return decision, _remember(situation, answers, proposal, target)


def _recall_gap(settings: TypeSettings, observation: Observation, memory: Memory) -> Memory:
    """Record the current size where the windows do not know it: scale-in then waits for one that is fully covered."""
    if not must_wait_for_windows(settings, observation.now, memory):
        return memory
    size = Sized(observation.now, observation.counts.desired)
    return replace(
        memory,
        lowest=push_lowest(memory.lowest, size, settings.scale_out.stabilization_seconds),
        highest=push_highest(memory.highest, size, settings.scale_in.stabilization_seconds),
    )


def _adjust(situation: Situation, proposal: Proposal) -> tuple[Adjustment, ...]:
    made = [proposal.adjustment] if proposal.adjustment else []
    processes = made[-1].after if made else proposal.processes
    for rule in RULES:
        adjustment = rule(situation, processes)
        if adjustment is not None and adjustment.after != processes:
            made.append(adjustment)
            processes = adjustment.after
    return tuple(made)


def _conclude(situation: Situation, proposal: Proposal, adjustments: tuple[Adjustment, ...], target: int) -> tuple[Action, str]:
    said = (situation.memory.set_by_others, proposal.reason, *(adjustment.reason for adjustment in adjustments))
    return _action(situation.current, target, is_refused=bool(adjustments) or proposal.is_without_data), "; ".join(filter(None, said))


def _action(current: int, target: int, *, is_refused: bool) -> Action:
    if target != current:
        return "scale_out" if target > current else "scale_in"
    return "hold" if is_refused else "none"


def _remember(situation: Situation, answers: tuple[PolicyAnswer, ...], proposal: Proposal, target: int) -> Memory:
    now, current, settings, memory = situation.now, situation.current, situation.settings, situation.memory
    wished = Sized(now, proposal.adjustment.after if proposal.adjustment else proposal.processes)
    return Memory(
        policies={given.policy: given.answer.memory for given in answers if given.answer.memory is not None},
        lowest=push_lowest(memory.lowest, wished, settings.scale_out.stabilization_seconds),
        highest=push_highest(memory.highest, wished, settings.scale_in.stabilization_seconds),
        changes=memory.changes,
        asked=SizeChange(now, current, target) if target != current else None,
        desired=memory.desired,
        last_tick=now,
        ready=memory.ready,
        is_off=memory.is_off,
        set_by_others=memory.set_by_others,
    )
