"""Observations and ticks for the tests of decisions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from autoscaler.decide.memory import Memory
from autoscaler.decide.pipeline import decide
from autoscaler.decide.settings import DirectionLimits, NamedPolicy, Pause, TypeSettings, WhenMissing
from autoscaler.model import Abstain, Answer, Counts, Decision, Json, Missing, Observation, ProcessType, Recommendation

FREE = DirectionLimits()


@dataclass(frozen=True)
class Wanting:
    """A policy that answers what a test tells it."""

    answer: Answer

    def recommend(self, _observation: Observation, _memory: Json) -> Answer:
        return self.answer


def _answer(given: int | str | None) -> Answer:
    """A number is a recommendation, a text the cause of a missing metric, None an abstention."""
    if given is None:
        return Abstain("out of its window")
    return Recommendation(given, f"wants {given}") if isinstance(given, int) else Missing("queue", given)


@dataclass
class Type:
    """One process type that remembers its past, ticked by hand; the backend accepts every change unless told otherwise."""

    settings: TypeSettings
    desired: int
    now: float = 0.0
    memory: Memory = field(default_factory=Memory)
    pause: Pause | None = None
    wall: float = 1e9  # at the beginning

    def tick(self, *answers: int | str | None, after: float = 5.0, accept: bool = True, counts: Counts | None = None, **seen: object) -> Decision:
        self.now += after
        policies = tuple(replace(named, policy=Wanting(_answer(answer))) for named, answer in zip(self.settings.policies, answers, strict=True))
        observation = Observation(self.now, self.wall + self.now, self.settings.process_type, counts or Counts(self.desired, self.desired), **seen)
        decision, self.memory = decide(replace(self.settings, policies=policies), observation, self.memory, pause=self.pause)
        self.desired = decision.target if accept else self.desired
        return decision


@pytest.fixture
def make_type() -> Callable[..., Type]:
    def make(  # noqa: PLR0913 - what tests vary, by name
        desired: int = 4,
        *,
        minimum: int = 1,
        maximum: int = 40,
        policies: int = 1,
        when_missing: WhenMissing | None = None,
        wall: float = 1e9,
        kind: dict[str, object] | None = None,
        **settings: object,
    ) -> Type:
        process_type = ProcessType(name="worker", minimum=minimum, maximum=maximum, **(kind or {}))
        named = tuple(NamedPolicy(f"p{index}", Wanting(_answer(None)), when_missing or WhenMissing()) for index in range(policies))
        chosen = {"scale_out": FREE, "scale_in": FREE} | settings
        return Type(TypeSettings(process_type=process_type, policies=named, **chosen), desired, wall=wall)

    return make


@pytest.fixture
def held_still() -> Pause:
    """Hold everything still."""
    return Pause(scale_out=True, scale_in=True, reason="deploy")
