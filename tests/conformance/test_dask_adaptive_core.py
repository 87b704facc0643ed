"""Dask's adaptive core, as our simulations compare with it."""

import pytest

from autoscaler.model import Counts, Observation, ProcessType, Reading
from autoscaler_simulations.peers.dask_adaptive import DaskAdaptive

pytestmark = pytest.mark.shared

_CLUSTER = ProcessType(name="worker", minimum=0, maximum=10**6)


def _observe(now, target, size, missing=0) -> Observation:
    return Observation(now, 0.0, _CLUSTER, Counts(size, size - missing, missing), {"target": Reading("target", float(target), now)})


def _policy(given) -> DaskAdaptive:
    maximum = 10**6 if given.get("max", "inf") == "inf" else given["max"]
    return DaskAdaptive(target="target", minimum=given.get("min", 0), maximum=maximum, wait_count=given.get("wait_count", 3))


def _sizes(policy, given) -> list[int]:
    sizes, size, memory = [], 0, None
    for now, target in enumerate(given["targets"]):
        missing = min(size, 1) if "missing_worker" in given else 0
        recommendation = policy.recommend(_observe(float(now), target, size, missing), memory)
        size, memory = recommendation.processes, recommendation.memory
        sizes.append(size)
    return sizes


def test_cluster_is_sized_as_dask_sizes_it(case):
    policy, expect = _policy(case["input"]), case["expect"]

    if "safe_target" in expect:
        assert policy.safe_target(_observe(0.0, case["input"]["target"], 0)) == expect["safe_target"]
        return
    sizes = _sizes(policy, case["input"])
    assert sizes == expect["sizes"]
    # Which process goes is the backend's to say: it stops those first that are not ready.
    assert max(sizes) - sizes[-1] == expect.get("closed_n", max(sizes) - sizes[-1])
