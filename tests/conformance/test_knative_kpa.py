"""Knative's stable and panic counts, step by step, against the rule of the concurrency policy."""

import pytest

from autoscaler.decide.asking import ask
from autoscaler.decide.exact import exact
from autoscaler.decide.settings import NamedPolicy
from autoscaler.model import Counts, Missing, Observation, ProcessType
from autoscaler_policies.concurrency import Concurrency
from autoscaler_policies.panic import Averages, PanicRule, PanicState, begin

pytestmark = pytest.mark.shared

_PRODUCTION = {
    "target_value": 70,
    "total_value": 100,
    "target_burst_capacity": 0,
    "max_scale_up_rate": 1000.0,
    "max_scale_down_rate": 2.0,
    "scale_down_delay_s": 0,
    "activation_scale": 0,
    "reachable": True,
    "tick_s": 2,
}
_SPEC_KEYS = {*_PRODUCTION, "metric", "panic_threshold", "stable_window_s"}
_STEP_KEYS = {"t_s", "ready", "stable", "panic", "expect", "expect_panic_since_s", "note"}
_BY_SOURCE = NamedPolicy("concurrency", Concurrency(metric="stable", panic_metric="panic"))


def _rule(spec) -> PanicRule:
    return PanicRule(
        target=exact(spec["target_value"]),
        total=exact(spec["total_value"]),
        panic_threshold=exact(spec["panic_threshold"]),
        scale_out_factor=exact(spec["max_scale_up_rate"]),
        scale_in_factor=exact(spec["max_scale_down_rate"]) if spec["reachable"] else None,
        window_seconds=spec["stable_window_s"],
        tick_seconds=spec["tick_s"],
        delay_seconds=spec["scale_down_delay_s"] if spec["reachable"] else 0.0,
        activation_scale=spec["activation_scale"],
        burst_capacity=exact(spec["target_burst_capacity"]),
    )


def _changed(spec, step):
    """Update a spec with what stands beside the fields of a step: keys of the spec, or mappings of such keys under any name."""
    changes = {}
    for key in step.keys() - _STEP_KEYS:
        changes |= step[key] if isinstance(step[key], dict) else {key: step[key]}
    assert changes.keys() <= _SPEC_KEYS, f"the adapter does not know the fields {sorted(changes.keys() - _SPEC_KEYS)} of a step"
    return spec | changes


def _initial(case) -> PanicState:
    if "initial_state" in case:
        return PanicState(case["initial_state"]["panic_since_s"], case["initial_state"]["max_panic_pods"])
    return begin(0.0, case["created_with_ready"])


def _is_missing(step) -> bool:
    return None in (step["ready"], step["stable"], step["panic"])


def _assert_nothing_is_applied(step):
    counts = Counts(step["ready"] or 0, step["ready"] or 0)
    web = ProcessType(name="web", minimum=0, maximum=99)
    answer = ask(_BY_SOURCE, Observation(step["t_s"], 0.0, web, counts, {}, {"stable": "no data", "panic": "no data"}), None)

    assert step["expect"]["desired"] is None
    assert isinstance(answer, Missing)


def _assert_step(rule, step, state) -> PanicState:
    load = Averages(exact(step["stable"]), exact(step["panic"]))
    sizing = rule.size(load, step["ready"], step["t_s"], state)
    excess = rule.excess_burst_capacity(load.panic, step["ready"])

    assert sizing.processes == step["expect"]["desired"]
    assert sizing.state.since == step.get("expect_panic_since_s", sizing.state.since)
    assert abs(excess - step["expect"].get("excess_burst_capacity", excess)) <= 1
    return sizing.state


def test_the_count_is_knatives(case):
    spec, state = _PRODUCTION | case["spec"], _initial(case)
    initial = case.get("expect_initial", {})

    assert (state.since is not None) == initial.get("panicking", state.since is not None)
    assert state.most == initial.get("max_panic_pods", state.most)
    for step in case["steps"]:
        spec = _changed(spec, step)
        if _is_missing(step):
            _assert_nothing_is_applied(step)
        else:
            state = _assert_step(_rule(spec), step, state)
