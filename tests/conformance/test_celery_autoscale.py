"""Celery's autoscaler, as our simulations compare with it."""

from dataclasses import dataclass, replace

import pytest

from autoscaler.model import Counts, Json, Observation, ProcessType, Reading
from autoscaler_simulations.peers.celery_autoscale import CeleryAutoscale

pytestmark = pytest.mark.shared

_POOL = ProcessType(name="pool", minimum=0, maximum=100)


@dataclass
class Pool:
    """A pool whose size follows its policy."""

    policy: CeleryAutoscale
    size: int
    now: float = 100.0
    memory: Json = None

    def step(self, seconds, reserved) -> int:
        self.now = round(self.now + seconds, 6)
        readings = {"reserved": Reading("reserved", float(reserved), self.now)}
        recommendation = self.policy.recommend(Observation(self.now, 0.0, _POOL, Counts(self.size, self.size), readings), self.memory)
        self.size, self.memory = recommendation.processes, recommendation.memory
        return self.size


def _pool(given) -> Pool:
    limits = {"minimum": given.get("min", 0), "maximum": given.get("max", 10)}
    return Pool(CeleryAutoscale(reserved="reserved", keepalive_seconds=given.get("keepalive_s", 30.0), **limits), given["start"])


def _by_hand(pool, action, amount) -> int:
    """Grow or shrink the pool beside its policy, or set a limit, which holds from the next question on."""
    if action in {"grow", "shrink"}:
        pool.size += amount if action == "grow" else -amount
        return pool.size
    pool.policy = replace(pool.policy, **{{"set_max": "maximum", "set_min": "minimum"}[action]: amount})
    return pool.step(1, pool.size)


def _sizes(pool, given) -> list[int]:
    actions = [(key, given[key]) for key in given if key in {"grow", "shrink", "set_max", "set_min"}]
    return [_by_hand(pool, *action) for action in actions] + [pool.step(*step) for step in given.get("steps", [])]


def test_pool_is_sized_as_celery_sizes_it(case):
    pool = _pool(case["input"])

    if "invariant" in case["expect"]:
        tasks = [*range(1, 36), *range(34, -1, -1)]
        sizes = [pool.step(seconds, reserved) for seconds in (1, 31) for reserved in tasks]
        assert all(case["input"]["min"] <= size <= case["input"]["max"] for size in sizes)
        assert {case["input"]["min"], case["input"]["max"]} <= set(sizes)
    else:
        assert _sizes(pool, case["input"]) == case["expect"]["sizes"]
