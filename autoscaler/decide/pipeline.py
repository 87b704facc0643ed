"""From observations to decisions: ask the policies, then let every rule have its say, in one fixed order."""

from __future__ import annotations

from dataclasses import replace

from autoscaler.decide.course import Ask, begin_course, end_course
from autoscaler.decide.memory import Memory
from autoscaler.decide.settings import NamedPolicy, Pause, TypeSettings
from autoscaler.model import Abstain, Answer, AutoscalerError, Decision, Json, Missing, MissingReadingError, Observation, Recommendation

_MOST_PROCESSES = 2**31 - 1


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
    """Decide how many processes of one type should run, in a formation without a cap; the returned memory belongs to the next tick.

    ``pause`` stands in for the configuration's; ``ask`` is what calls a policy, so that a caller can guard it. For a formation
    with a cap, begin the course of every type, ``share_out`` what is left, and end the courses.
    """
    return end_course(begin_course(settings, observation, memory, settings.pause if pause is None else pause, ask), None)
