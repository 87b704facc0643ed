"""A controller with a limited number of processes in all."""

from dataclasses import replace

import pytest

from autoscaler.clock import VirtualClock
from autoscaler.decide.settings import FormationCap
from autoscaler.loop import Controller
from autoscaler.model import Counts, Recommendation, TypeFormation


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
    assert tick.decisions[0].adjustments[-1].rule == "formation_cap"


def test_type_that_cannot_be_seen_keeps_its_processes_from_the_others(capped):
    controller, backend, clock = capped(12, {"web": 2, "worker": 4}, Greedy())
    controller.tick()
    del backend.types["worker"]
    clock.advance(5.0)
    (web,) = controller.tick().decisions

    assert web.target == 6


def test_policy_that_breaks_where_it_is_projected_holds_its_own_type_alone(capped):
    controller, _, _ = capped(20, {"web": 2, "worker": 14}, Unprojectable())
    web, worker = controller.tick().decisions

    assert (web.target, worker.target) == (2, 14)
    assert web.reason == "wants 1; not projected: RuntimeError: no idea"


def test_types_that_grow_on_one_tick_share_the_free_memory(make_settings, make_source, make_backend, make_listener):
    gigabyte = 1024**3
    settings = make_settings(make_source([1.0]), "web", "worker", policy=Greedy())
    types = tuple(replace(one, process_type=replace(one.process_type, memory_bytes=gigabyte)) for one in settings.types)
    settings = replace(settings, types=(types[0], replace(types[1], priority=1)))
    backend, listener = make_backend({"web": 2, "worker": 2}), make_listener()
    backend.types = {name: replace(seen, free_memory_bytes=10 * gigabyte) for name, seen in backend.types.items()}
    controller = Controller(settings, {"default": backend}, clock=VirtualClock(1000.0, 1e9), pauses=lambda _at: {}, listeners=[listener])
    tick = controller.tick()

    assert [decision.target for decision in tick.decisions] == [4, 10]
    assert {notice.details["process_type"]: notice.details["processes"] for notice in listener.notices} == {"web": 2, "worker": 10}


def test_draining_processes_of_a_type_that_falls_silent_keep_their_room(capped):
    controller, backend, clock = capped(20, {"web": 8, "worker": 4}, Greedy())
    backend.types["worker"] = TypeFormation(Counts(4, running=4, draining=8))
    controller.tick()
    del backend.types["worker"]
    clock.advance(5.0)
    (web,) = controller.tick().decisions

    assert web.target == 8


def test_nobody_grows_beyond_a_minimum_before_every_type_was_seen(capped):
    controller, backend, _ = capped(20, {"web": 8, "worker": 4}, Greedy())
    del backend.types["worker"]
    (web,) = controller.tick().decisions

    assert web.target == 8


def test_memory_goes_to_the_minimums_first(make_settings, make_source, make_backend, make_listener):
    settings = make_settings(make_source([1.0]), "web", "worker", policy=Greedy())
    kinds = [replace(one.process_type, memory_bytes=1024, minimum=2 if one.name == "worker" else 0) for one in settings.types]
    types = tuple(replace(one, process_type=kind, priority=one.name == "web") for one, kind in zip(settings.types, kinds, strict=True))
    backend = make_backend({"web": 0, "worker": 0})
    backend.types = {name: replace(seen, free_memory_bytes=5 * 1024) for name, seen in backend.types.items()}
    settings = replace(settings, types=types)
    controller = Controller(settings, {"default": backend}, clock=VirtualClock(1000.0, 1e9), pauses=lambda _at: {}, listeners=[make_listener()])

    assert [decision.target for decision in controller.tick().decisions] == [3, 2]
