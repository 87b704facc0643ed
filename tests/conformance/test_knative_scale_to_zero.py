"""Knative's bounds and way to zero, against the last process of the concurrency policy."""

import pytest

from autoscaler_policies.last_process import Life, ZeroRule, bring_to_zero

pytestmark = pytest.mark.shared


def _rule(case) -> ZeroRule:
    return ZeroRule(
        minimum=case["min"],
        maximum=case["max"] or None,
        initial_scale=case["initial_scale"],
        window_seconds=case["stable_window_s"],
        grace_seconds=case["grace_s"],
        retention_seconds=case["last_replica_retention_s"],
        activation_timeout_seconds=case["activation_timeout_s"],
        is_to_zero_allowed=case["scale_to_zero_enabled"],
        is_reachable=case["reachability"] != "unreachable",
        is_always_proxied=case["target_burst_capacity"] == -1,
    )


def _life(case) -> Life:
    return Life(
        state=case["state"],
        age_seconds=case["state_age_s"],
        is_initial_reached=case["initial_scale_reached"],
        is_proxied=case["proxy_in_path"],
        proxying_seconds=case["proxying_for_s"],
    )


def test_the_last_process_goes_when_knatives_does(case):
    wanted = None if case["desired_in"] < 0 else case["desired_in"]
    outcome = bring_to_zero(wanted, _rule(case), _life(case))

    assert {
        "desired_out": -1 if outcome.processes is None else outcome.processes,
        "write": outcome.is_written and outcome.processes != case["current_replicas"],
    } == case["expect"]
