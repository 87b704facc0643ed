"""What single policies promise; make laws searches long for a counterexample."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autoscaler.decide.asking import ask
from autoscaler.decide.memory import Memory
from autoscaler.decide.pipeline import decide
from autoscaler.decide.settings import DirectionLimits, NamedPolicy, TypeSettings
from autoscaler.model import Abstain, Counts, Missing, Observation, ProcessType, Reading, Recommendation
from autoscaler_policies.target import Target
from tests.laws.world import ANYTHING, METRICS, POLICIES, SENSIBLE, law

KINDS = sorted(POLICIES)
MONOTONE = ("backlog", "concurrency", "fixed", "queueing", "target")
WORKER = ProcessType(name="worker", minimum=0, maximum=10_000, slots=2)


def seen(values, processes=5, *, starting=0, now=100.0):
    readings = {name: Reading(name, value, now - 1.0) for name, value in zip(METRICS, values, strict=True)}
    return Observation(now, 1e9 + now, WORKER, Counts(processes + starting, processes, starting=starting), readings)


@pytest.mark.parametrize("kind", KINDS)
@law
@given(st.data(), st.tuples(*[ANYTHING] * 3), st.integers(0, 100), st.integers(0, 100))
def test_any_readings_get_an_answer_with_a_reason_and_a_memory_that_json_holds(kind, data, values, running, starting):
    policy, memory = NamedPolicy(kind, data.draw(POLICIES[kind])), None
    for tick in range(3):
        answer = ask(policy, seen(values, running, starting=starting, now=100.0 + 5.0 * tick), memory)
        memory = json.loads(json.dumps(answer.memory, allow_nan=False))
        assert isinstance(answer, Recommendation | Abstain | Missing)
        assert answer.reason
        assert "\n" not in answer.reason
        assert memory == answer.memory


@pytest.mark.parametrize("kind", KINDS)
@law
@given(st.data(), st.tuples(*[SENSIBLE] * 3))
def test_what_is_missing_is_not_zero(kind, data, values):
    policy = data.draw(POLICIES[kind])
    named = NamedPolicy(kind, policy)
    observation = seen(values)
    assume(getattr(policy, "service", None) is None or values[2] > 0)  # a time of service need not be known when nothing arrives
    for metric in named.metrics:
        without = {name: reading for name, reading in observation.readings.items() if name != metric}
        answer = ask(named, Observation(100.0, 1e9, WORKER, Counts(5, 5), without, {metric: "down"}), None)
        assert isinstance(answer, Missing)


@pytest.mark.parametrize("kind", ["backlog", "concurrency", "queueing", "spare", "target"])
@law
@given(st.data(), st.tuples(*[SENSIBLE] * 3), st.floats(-1e9, -0.001))
def test_what_is_below_zero_is_missing(kind, data, values, below):
    named = NamedPolicy(kind, data.draw(POLICIES[kind]))
    assume(kind != "queueing" or values[2] > 0)
    for metric in named.metrics:
        wrong = tuple(below if name == metric else value for name, value in zip(METRICS, values, strict=True))
        assert isinstance(ask(named, seen(wrong), None), Missing)


@pytest.mark.parametrize("kind", MONOTONE)
@law
@given(st.data(), st.tuples(*[SENSIBLE] * 3), st.floats(0.0, 3000.0), st.integers(0, 50))
def test_more_load_never_gives_fewer_processes(kind, data, values, more, processes):
    named = NamedPolicy(kind, data.draw(POLICIES[kind]))
    assume(kind != "queueing" or "busy" not in named.metrics)  # its service time is measured as busy / rate: more of one alone is another load
    moved = {"load", "rate"} if kind in {"concurrency", "queueing"} else {"load"}
    heavier = tuple(value + more if name in moved else value for name, value in zip(METRICS, values, strict=True))
    light, heavy = ask(named, seen(values, processes), None), ask(named, seen(heavier, processes), None)

    if isinstance(light, Recommendation) and isinstance(heavy, Recommendation):
        assert heavy.processes >= light.processes


@law
@given(st.data(), st.integers(1, 200), st.floats(1.0, 8.0))
def test_ratio_above_one_with_slow_starters_never_asks_for_more_than_the_first_time(data, running, ratio):
    utilization = data.draw(st.sampled_from([0.5, 0.7]))
    settings = TypeSettings(
        process_type=WORKER, policies=(NamedPolicy("target", Target(metric="load", utilization=utilization)),), scale_out=DirectionLimits()
    )
    memory, desired, targets = Memory(), running, []
    for tick in range(8):
        counts = Counts(desired, running, starting=desired - running)
        fresh = Reading("load", utilization * ratio, at=5.0 * tick)
        decision, memory = decide(settings, Observation(5.0 * tick, 1e9, WORKER, counts, {"load": fresh}), memory)
        desired = decision.target
        targets.append(desired)
    assert len(set(targets)) == 1
