"""Nomad's fixed-value: a set number of processes, without a metric."""

import pytest

from autoscaler_policies.fixed import Fixed
from tests.conformance.one_type import assert_decision, assert_refused, decided, flow, settings_of

pytestmark = pytest.mark.shared


def test_fixed_keeps_a_value(case):
    given = case["input"]
    assert set(given) <= {"current", "value"}, "the adapter does not know every field"
    if "error" in case["expect"]:
        value = [("processes", given["value"])] if given.get("value") is not None else []
        assert_refused(case, {"value": "processes"}, ("policies", f"[{{fixed: {flow(*value)}}}]"))
    else:
        assert_decision(case, decided(settings_of(Fixed(processes=given["value"])), given["current"], []))
