"""A controller with a limited number of processes in all."""

from dataclasses import replace

import pytest

from autoscaler.clock import VirtualClock
from autoscaler.decide.settings import FormationCap
from autoscaler.loop import Controller
from autoscaler.model import Recommendation


class Greedy:
    """Wants 10."""

    def recommend(self, _observation, _memory):
        return Recommendation(10, "wants 10")


class Unprojectable:
    """Breaks where the pipeline asks it for more than a recommendation."""

    def recommend(self, _observation, _memory):
        return Recommendation(1, "wants 1")

    def projected(self, _observation, _processes):
        raise RuntimeError("no idea")


@pytest.fixture
def capped(make_settings, make_source, make_backend, make_listener):
    def make(total, sizes, policy):
        settings = replace(make_settings(make_source([1.0]), *sizes, policy=policy), cap=FormationCap(total))
        backend, clock = make_backend(sizes), VirtualClock(1000.0, 1e9)
        return Controller(settings, {"default": backend}, clock=clock, pauses=lambda _at: {}, listeners=[make_listener()]), backend, clock

    return make


def test_types_share_what_the_formation_may_have(capped):
    controller, _, _ = capped(12, {"web": 2, "worker": 4}, Greedy())
    tick = controller.tick()

    assert [decision.target for decision in tick.decisions] == [6, 6]
    assert tick.decisions[0].adjustments[-1].rule == "total"


def test_type_that_cannot_be_seen_keeps_its_processes_from_the_others(capped):
    controller, backend, clock = capped(12, {"web": 2, "worker": 4}, Greedy())
    controller.tick()
    del backend.types["worker"]
    clock.advance(5.0)
    (web,) = controller.tick().decisions

    assert web.target == 6


def test_guard_that_a_strangers_policy_breaks_is_that_types_failure_alone(capped):
    controller, _, _ = capped(12, {"web": 2, "worker": 4}, Unprojectable())
    tick = controller.tick()

    assert tick.errors == {
        "web": "not decided: RuntimeError: no idea",
        "worker": "not decided: RuntimeError: no idea",
    }
    assert tick.decisions == ()
