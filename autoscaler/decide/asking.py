"""Ask policies, so that whoever calls the pipeline can guard it against what a stranger's policy does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from autoscaler.decide.settings import NamedPolicy
from autoscaler.model import Abstain, Answer, AutoscalerError, Json, Missing, MissingReadingError, Observation, Recommendation

T = TypeVar("T")
U = TypeVar("U")
_MOST_PROCESSES = 2**31 - 1

Ask = Callable[[NamedPolicy, Observation, Json], Answer]


class PolicyError(AutoscalerError):
    """A policy broke its contract."""


class Attempt(Protocol):
    """Calls a policy's code; what it raises becomes what ``otherwise`` makes of the cause, or is let through."""

    def __call__(self, call: Callable[[], T], otherwise: Callable[[str], U]) -> T | U:
        """Return what ``call`` returns."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How policies are asked: for their recommendation, and for anything else."""

    ask: Ask
    attempt: Attempt


def ask(named: NamedPolicy, observation: Observation, memory: Json) -> Answer:
    """Ask one policy; a reading it needs and does not find makes its answer ``Missing``, and it keeps its memory."""
    try:
        answer = named.policy.recommend(observation, memory)
    except MissingReadingError as missing:
        return Missing(missing.metric, missing.cause, memory)
    return _checked(answer)


def attempt(call: Callable[[], T], otherwise: Callable[[str], U]) -> T | U:  # noqa: ARG001 - the contract's; nothing is caught here
    """Call a policy's code and let through what it raises."""
    return call()


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


DIRECTLY = Asking(ask, attempt)
