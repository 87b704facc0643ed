"""What one process carries, by hand."""

from fractions import Fraction

import pytest

from autoscaler_policies.metric_target import MetricTarget


@pytest.mark.parametrize(
    ("measure", "per_process", "hard_limit", "utilization", "expected"),
    [
        ("concurrency", None, None, 0.7, (100, 70)),
        ("concurrency", None, 12, 0.75, (12, 9)),
        ("concurrency", 5, 12, 1.0, (5, 5)),
        ("concurrency", 50, 12, 1.0, (12, 12)),
        ("rate", None, 12, 0.7, (100, 70)),
        ("rate", 300, 12, 0.7, (300, 210)),
        ("concurrency", 1, None, 0.001, (1, Fraction(1, 100))),
    ],
)
def test_total_and_target(measure, per_process, hard_limit, utilization, expected):
    resolved = MetricTarget(measure=measure, default=100.0, per_process=per_process, hard_limit=hard_limit, utilization=utilization)

    assert (resolved.total, resolved.target) == expected
