"""What Knative lets one process carry, against the resolution of the concurrency policy."""

import pytest

from autoscaler_policies.metric_target import MetricTarget

pytestmark = pytest.mark.shared


def _target(case) -> MetricTarget:
    is_rate = case["metric"] == "rps"
    override = case["utilization_override_percent"]
    fraction = case["rps_fraction"] if is_rate else case["concurrency_fraction"]
    return MetricTarget(
        measure="rate" if is_rate else "concurrency",
        default=case["rps_default"] if is_rate else case["concurrency_default"],
        per_process=case["target_override"],
        hard_limit=case["hard_limit_per_replica"] or None,
        utilization=fraction if override is None else override / 100,
    )


def test_a_process_carries_what_knative_resolves(case):
    resolved = _target(case)

    assert {"target": float(resolved.target), "total": float(resolved.total)} == case["expect"]
