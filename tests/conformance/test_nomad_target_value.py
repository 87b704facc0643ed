"""Nomad's target-value: the ratio of the newest sample to its target."""

import pytest

from autoscaler_policies.target import Target
from tests.conformance.one_type import (
    CAPS,
    METRIC,
    assert_decision,
    assert_refused,
    decided,
    direction_of,
    flow,
    limits_of,
    settings_of,
    written_limits_of,
)

pytestmark = pytest.mark.shared

_TOLERANCE = 0.01
_KEYS = {"target": "total", "tolerance": "tolerance", **CAPS}
_KNOWN = {"current", "samples", *_KEYS}
_LARGE = 1000  # at which rounding up hides no direction


def _policy(target, tolerance):
    return Target(metric=METRIC, total=target, tolerance_out=tolerance, tolerance_in=tolerance)


def _assert_refused(case):
    given = case["input"]
    total = [("total", given["target"])] if given.get("target") is not None else []
    tolerance = [("tolerance_in", given["tolerance"])] if given.get("tolerance") is not None else []
    policy = flow(("metric", METRIC), *total, *tolerance)
    assert_refused(case, _KEYS, ("policies", f"[{{target: {policy}}}]"), *written_limits_of(given))


def _assert_direction(case):
    assert set(case) == {"id", "current", "factor", "tolerance", "expect"}, "the adapter does not know this shape"
    current = case["current"] * _LARGE
    decision = decided(settings_of(_policy(1.0, case["tolerance"])), current, [case["factor"]])

    assert direction_of(current, decision.target) == case["expect"], decision.reason


def test_target_does_what_target_value_does(case):
    if "input" not in case:
        _assert_direction(case)
        return
    given = case["input"]
    assert set(given) <= _KNOWN, "the adapter does not know every field"
    if "error" in case["expect"]:
        _assert_refused(case)
        return
    settings = settings_of(_policy(float(given["target"]), given.get("tolerance", _TOLERANCE)), **limits_of(given))
    assert_decision(case, decided(settings, given["current"], given["samples"]))
