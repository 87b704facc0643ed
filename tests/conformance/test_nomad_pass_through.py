"""Nomad's pass-through: the newest sample is the number of processes."""

import pytest

from autoscaler_policies.expression import Expression
from tests.conformance.one_type import METRIC, assert_decision, assert_refused, decided, flow, settings_of, steps_of

pytestmark = pytest.mark.shared

_KEYS = {"max_step_up": "scale_out", "max_step_down": "scale_in"}
_KNOWN = {"current", "samples", "max_step_up", "max_step_down"}
_FORMULA = f"trunc({METRIC})"


def _limits(given):
    return [(_KEYS[key], f'{{at_most: ["{given[key]} per 1s"]}}') for key in _KEYS if given.get(key) is not None]


def test_expression_passes_a_sample_through(case):
    given = case["input"]
    assert set(given) <= _KNOWN, "the adapter does not know every field"
    if "error" in case["expect"]:
        policy = flow(("processes", _FORMULA), ("readings", [METRIC]))
        assert_refused(case, _KEYS, ("policies", f"[{{expression: {policy}}}]"), *_limits(given))
        return
    out, inward = steps_of(given.get("max_step_up")), steps_of(given.get("max_step_down"))
    settings = settings_of(Expression(processes=_FORMULA, readings=(METRIC,)), scale_out=out, scale_in=inward)
    assert_decision(case, decided(settings, given["current"], given["samples"]))
