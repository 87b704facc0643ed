"""One whole reconcile of the HPA, and one tick of our pipeline over the same metrics, limits and past."""

import pytest

from autoscaler.decide.memory import Memory
from autoscaler.decide.pipeline import decide
from autoscaler.decide.settings import DirectionLimits, NamedPolicy, TypeSettings
from autoscaler.decide.window import Sized
from autoscaler.model import Counts, Missing, ProcessType
from tests.conformance.hpa_cases import NOW, direction_of, growth_of, load_of, observation_of, reasons_of

pytestmark = pytest.mark.shared


def _settings(case, loads) -> TypeSettings:
    process_type = ProcessType(name="web", minimum=case["min"] or 0, maximum=case["max"])
    policies = tuple(NamedPolicy(load.policy.metric, load.policy) for load in loads)
    if "behavior" in case:
        scale_out, scale_in = (direction_of(case["behavior"][direction]) for direction in ("scale_up", "scale_down"))
    else:
        scale_out = growth_of(case["scale_up_limit_factor"], case.get("scale_up_limit_minimum", 4), case["current_replicas"])
        scale_in = DirectionLimits(stabilization_seconds=case["downscale_window_s"])
    return TypeSettings(process_type=process_type, policies=policies, scale_out=scale_out, scale_in=scale_in)


def _counts(case, loads) -> Counts:
    known = next((load for load in loads if load.running is not None), None)
    if known is not None:
        return Counts(case["current_replicas"], known.running, known.starting)
    return Counts(case["current_replicas"], case.get("running_replicas", case["current_replicas"]))


def _memory(case, settings) -> Memory:
    window = tuple(Sized(NOW - one["age_s"], one["replicas"]) for one in case["recommendations"])
    # What is at 0 under a minimum was set to 0 by somebody, after we had set it to more.
    desired = case["current_replicas"] or settings.process_type.minimum
    return Memory(lowest=window, highest=window, desired=desired, last_tick=NOW - settings.process_type.interval_seconds)


def _reasons(decision, memory) -> set[str]:
    reasons = set(reasons_of(decision.adjustments))
    if any(isinstance(given.answer, Missing) for given in decision.answers):
        reasons.add("InvalidMetricSourceType")
    return reasons | ({"ScalingDisabled"} if memory.is_off else set())


def test_pipeline_decides_what_the_hpa_decides(case):
    loads = [load_of(metric, case["tolerance"], f"load_{number}") for number, metric in enumerate(case["metrics"])]
    settings = _settings(case, loads)
    observation = observation_of(loads, _counts(case, loads), settings.process_type)

    decision, memory = decide(settings, observation, _memory(case, settings))

    assert decision.target == case["expect"]["replicas"], decision.reason
    assert set(case["expect"].get("reasons", [])) <= _reasons(decision, memory), decision
