"""KEDA's ScaledObject: activation, idling, pauses and fallbacks, against our whole pipeline and our board."""

from dataclasses import dataclass, field

import pytest

from autoscaler.clock import VirtualClock
from autoscaler.config.errors import ConfigurationError
from autoscaler.config.loading import load_text
from autoscaler.decide.memory import Memory
from autoscaler.decide.pipeline import decide
from autoscaler.decide.settings import DirectionLimits, NamedPolicy, Pause, TypeSettings, WhenMissing
from autoscaler.model import Counts, Missing, Observation, ProcessType, Reading
from autoscaler.observe.board import Board
from autoscaler.observe.metric import MetricSettings
from autoscaler.observe.source import SourceError
from autoscaler_policies.backlog import Backlog
from autoscaler_policies.target import Target

pytestmark = pytest.mark.shared

_NOW = 10_000.0
_COOLDOWN = 300.0
_ACTIVATION = 360_360.0  # divides by every number of processes up to 15
_AGES = {"expired": 1000.0, "recent": 1.0}
_STAND_INS = {"static": "processes", "currentReplicas": "hold", "currentReplicasIfHigher": "at_least", "currentReplicasIfLower": "at_most"}


def _settings(minimum, maximum, *policies) -> TypeSettings:
    process_type = ProcessType(name="worker", minimum=minimum, maximum=maximum)
    return TypeSettings(process_type=process_type, policies=policies, scale_out=DirectionLimits(), scale_in=DirectionLimits())


def _is_activated(case) -> bool:
    """With a minimum of one or more and no idle count, KEDA is always active, whatever the trigger's activation says (its manual)."""
    return case["idle"] is not None or not case["min"]


def _backlog(case) -> Backlog:
    """Activate as every case does; the HPA, which sizes what is active, is at its target with what runs now."""
    active_minimum = 1 if case["idle"] is None else max(1, case["min"] or 0)
    return Backlog(
        waiting="queue",
        per_process=_waiting(case) / max(1, case["current_replicas"]),
        activation=_ACTIVATION if _is_activated(case) else 0.0,
        active_minimum=active_minimum,
        idle_for_seconds=_COOLDOWN,
    )


def _waiting(case) -> float:
    """Read more than activates, or no more: the trigger is all that differs."""
    return _ACTIVATION * (2 if case["trigger_active"] else 1)


def _minimum(case) -> int:
    minimum = (case["min"] or 0) if case["idle"] is None else case["idle"]
    return max(1, case["min"] or 0) if case["force_activation"] else minimum


def _last_active(case) -> Memory:
    age = _AGES.get(case["last_active"], case["last_active"])
    return Memory() if age is None else Memory(policies={"backlog": {"active_at": _NOW - age}})


def _activation(case) -> None:
    policies = [NamedPolicy("backlog", _backlog(case))]
    if case["trigger_error"]:
        policies.append(NamedPolicy("other", Backlog(waiting="other", per_process=1)))
    settings = _settings(_minimum(case), case["max"] or 100, *policies)
    current = case["current_replicas"]
    waiting = Reading("queue", _waiting(case), _NOW)
    observation = Observation(_NOW, 0.0, settings.process_type, Counts(current, current), {"queue": waiting}, {"other": "in error"})
    pause = Pause(case["paused"] or case["pause_scale_out"], case["paused"] or case["pause_scale_in"])

    decision, memory = decide(settings, observation, _last_active(case), pause=pause)

    assert decision.target == case["expect"]["replicas"], decision.reason
    if _is_activated(case) and not (case["paused"] or case["force_activation"] or case["trigger_error"]):
        was_active = (memory.policies.get("backlog") or {}).get("active_at") == _NOW
        assert was_active == case["expect"]["active_condition"]


@dataclass(frozen=True)
class Failing:
    """A source that answers its values one by one; ``None`` is a failure."""

    values: list = field(compare=False)

    def read(self, poll):
        value = self.values.pop(0)
        if value is None:
            raise SourceError("it does not answer")
        return poll.reading(value)


def _polled(case, max_age):
    """Poll every second: once well, then the failures of the case, and then its own poll."""
    polls = [1.0, *[None] * (case["consecutive_failures_before"] or 0), None if case["poll_error"] else float(case["polled_value"])]
    clock = VirtualClock()
    board = Board((MetricSettings(name="queue", source=Failing(list(polls)), every_seconds=1.0, max_age_seconds=max_age),), clock)
    for number in range(len(polls)):
        clock.advance(1.0 if number else 0.0)
        board.poll("queue", {})
    return board.entries(clock.now())["queue"], clock.now()


def _fallback(case) -> None:
    fallback = case["fallback"] or {"failure_threshold": 0, "replicas": 0, "behavior": "currentReplicas"}
    if fallback["failure_threshold"] < 0 or fallback["replicas"] < 0:
        _is_refused(fallback)
        return
    stand_in = WhenMissing(_STAND_INS[fallback["behavior"] or "static"], fallback["replicas"])
    policy = NamedPolicy("target", Target(metric="queue", per_process=case["target_average"]), stand_in)
    entry, now = _polled(case, max_age=fallback["failure_threshold"] or 0.5)
    settings, current = _settings(0, 1000, policy), case["current_replicas"] or 1
    readings, missing = ({"queue": entry.reading}, {}) if entry.reading else ({}, {"queue": entry.cause})
    decision, _ = decide(settings, Observation(now, 0.0, settings.process_type, Counts(current, current), readings, missing), Memory())

    is_made_up = isinstance(decision.answers[0].answer, Missing) and case["fallback"] is not None
    if "error" in case["expect"]:
        assert not is_made_up
    elif case["poll_error"]:
        assert is_made_up
        assert decision.target * case["target_average"] == case["expect"]["value"], decision.reason
    else:
        assert (entry.reading.value, entry.cause) == (case["expect"]["value"], None)


def _is_refused(fallback) -> None:
    """Threshold and number stand in the configuration, which is refused before anything fails."""
    metric = f"{{file: {{path: queue}}, every: 1s, max_age: {fallback['failure_threshold']}s}}"
    policy = f"{{target: {{metric: queue, per_process: 1}}, when_missing: {{processes: {fallback['replicas']}}}}}"
    text = f"metrics: {{queue: {metric}}}\nformation: {{worker: {{maximum: 9, command: work, policies: [{policy}]}}}}\n"
    with pytest.raises(ConfigurationError) as caught:
        load_text(text, "autoscaler.yaml", {})
    assert {mistake.path.rpartition(".")[2] for mistake in caught.value.mistakes} <= {"max_age", "processes"}, caught.value


def test_formation_is_scaled_as_keda_scales_it(case):
    {"activation": _activation, "fallback": _fallback}[case["kind"]](case)
