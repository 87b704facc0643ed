"""What the HPA wants of its samples, and what the target policy wants of the same readings."""

import pytest

from autoscaler.model import Missing
from tests.conformance.hpa_cases import answer_of, load_of

pytestmark = pytest.mark.shared

_METRIC = {"no_samples": "load", "missing_capacity": "load_capacity"}


def test_target_wants_what_the_hpa_wants(case):
    answer = answer_of(load_of(case, case["tolerance"]), case["current_replicas"], case.get("ready_replicas"))

    if "error" in case["expect"]:
        assert isinstance(answer, Missing)
        assert answer.metric == _METRIC.get(case["expect"]["error"], answer.metric)
    else:
        assert answer.processes == case["expect"]["replicas"], answer.reason
