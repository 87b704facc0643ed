"""Nomad's pass-through: the newest sample is the number of processes."""

import pytest

from autoscaler_policies.expression import Expression
from tests.conformance.one_type import CAPS, METRIC, assert_decision, assert_refused, decided, flow, limits_of, settings_of, written_limits_of

pytestmark = pytest.mark.shared

_KNOWN = {"current", "samples", *CAPS}
_FORMULA = f"trunc({METRIC})"


def test_expression_passes_a_sample_through(case):
    given = case["input"]
    assert set(given) <= _KNOWN, "the adapter does not know every field"
    if "error" in case["expect"]:
        policy = flow(("processes", _FORMULA), ("readings", [METRIC]))
        assert_refused(case, CAPS, ("policies", f"[{{expression: {policy}}}]"), *written_limits_of(given))
        return
    settings = settings_of(Expression(processes=_FORMULA, readings=(METRIC,)), **limits_of(given))
    assert_decision(case, decided(settings, given["current"], given["samples"]))
