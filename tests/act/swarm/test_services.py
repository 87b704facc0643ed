"""The backend over a real swarm of one node."""

import re
from threading import Event

import pytest

from autoscaler.act.swarm import Swarm
from autoscaler.model import Counts, ProcessType
from tests.act.swarm.conftest import services_of

pytestmark = pytest.mark.server


def test_processes_start_and_then_run_on_a_named_host(one_node, services):
    one_node.create("web")
    services.connect()
    assert services.counts() == Counts(desired=0)
    assert services.scale(web=2) == [None]
    services.wait(lambda seen: seen.counts.starting)
    seen = services.wait(lambda seen: seen.counts == Counts(desired=2, running=2))
    assert [(each.name, each.host) for each in seen.processes] == [("web.1", "one"), ("web.2", "one")]
    assert 0 < seen.startup_seconds < 20


def test_what_somebody_else_changed_meanwhile_stays(one_node, services):
    one_node.create("web")
    services.connect().wait_counts(Counts(desired=0))
    one_node.manager.docker("service", "update", "--detach", "--no-resolve-image", "--env-add=ADDED=1", "web")
    assert services.scale(web=2) == [None]
    assert one_node.replicas("web") == 2
    assert one_node.service("web")["Spec"]["TaskTemplate"]["ContainerSpec"]["Env"] == ["ADDED=1"]


def test_a_number_that_somebody_else_set_meanwhile_stands(one_node, services):
    one_node.create("web")
    services.connect().wait_counts(Counts(desired=0))
    one_node.manager.docker("service", "scale", "--detach", "web=3")
    assert services.scale(web=1) == ["somebody else set it from 0 to 3 meanwhile; decided again at the next tick"]
    assert one_node.replicas("web") == 3
    assert services.scale(web=1) == ["somebody else set it from 0 to 3 meanwhile; decided again at the next tick"]
    services.wait(lambda seen: seen.counts.desired == 3)
    assert services.scale(web=1) == [None]
    assert one_node.replicas("web") == 1


def test_what_is_set_by_hand_is_seen_as_desired(one_node, services):
    one_node.create("web")
    services.connect().wait_counts(Counts(desired=0))
    one_node.manager.docker("service", "scale", "--detach", "web=2")
    services.wait(lambda seen: seen.counts.desired == 2)


def test_the_same_number_is_not_written_again(one_node, services):
    one_node.create("web")
    services.connect().wait_counts(Counts(desired=0))
    version = one_node.service("web")["Version"]
    assert services.scale(web=0) == [None]
    assert one_node.service("web")["Version"] == version


def test_a_service_that_no_node_takes_says_why(one_node, services):
    one_node.manager.docker("service", "create", "--detach", "--name=web", "--constraint=node.labels.disk==ssd", "tiny:1", "sleep", "9")
    services.connect()
    seen = services.wait(lambda seen: seen.obstacle)
    assert seen.obstacle == "web cannot start: no suitable node (scheduling constraints not satisfied on 1 node)"
    assert seen.counts == Counts(desired=1, starting=1)


def test_services_that_cannot_be_scaled_are_explained_each(one_node, services):
    one_node.manager.docker("service", "create", "--detach", "--mode=global", "--name=agent", "tiny:1", "sleep", "1000")
    one_node.manager.docker("service", "create", "--detach", "--mode=replicated-job", "--name=nightly", "tiny:1", "true")
    one_node.create("worker")
    services.connect("worker", "agent", "nightly", "workers", "ghost")
    assert services.counts("worker") == Counts(desired=0)
    only = "only services of mode replicated can be scaled"
    assert services.trouble("agent") == f"service agent has no number of processes: it is of mode global; {only}"
    assert services.trouble("nightly") == f"service nightly has no number of processes: it is of mode replicated-job; {only}"
    assert services.trouble("workers") == "there is no service workers; near it is worker: correct service or names"
    assert services.trouble("ghost") == "there is no service ghost in this swarm, which has 3 services; create it, or correct service or names"
    assert "ghost" in services.scale(ghost=1)[0]


def test_a_service_that_is_removed_and_made_again_is_found_again(one_node, services):
    one_node.create("web")
    services.connect().wait_counts(Counts(desired=0))
    one_node.manager.docker("service", "rm", "web")
    assert services.scale(web=2) == ["there is no service web any more"]
    assert services.trouble() == "there is no service web in this swarm, which has no services; create it, or correct service or names"
    one_node.create("web")
    services.wait(lambda seen: seen.counts.desired == 0)
    assert services.scale(web=1) == [None]


def test_names_of_services_follow_the_template(one_node, eventually):
    one_node.create("shop_web", replicas=1)
    one_node.create("shop_background")
    plugin = Swarm(address=one_node.manager.address, service="shop_{type}", names={"worker": "background"})
    backend = plugin.connect(tuple(ProcessType(name=name, minimum=0, maximum=9) for name in ("web", "worker")), None)
    eventually(lambda: {name: seen.counts.desired for name, seen in backend.observe().types.items()} == {"web": 1, "worker": 0})
    backend.close(Event())


def test_a_look_takes_three_calls_for_any_number_of_types(one_node, services):
    names = [f"type{number}" for number in range(10)]
    for name in names:
        one_node.create(name)
    services.connect(*names).wait_counts(Counts(desired=0), "type9")
    api = services.backend._engine._manager._api
    before = api.calls
    assert len(services.observe().types) == 10
    assert api.calls - before == 3
    services.scale(**dict.fromkeys(names[:3], 1))
    assert api.calls - before == 6


def test_an_engine_that_is_killed_holds_its_types_until_it_is_back(one_node, services):
    one_node.create("web", replicas=1)
    services.connect().wait(lambda seen: seen.counts.desired == 1)
    one_node.manager.power_off()
    services.eventually(services.trouble)
    assert "web" not in services.observe().types
    assert services.scale(web=4)[0].startswith("nothing was sent: ")
    one_node.manager.power_on()
    services.wait(lambda seen: seen.counts.desired == 1, seconds=30)
    assert services.scale(web=3) == [None]
    services.wait(lambda seen: seen.counts.desired == 3)


def test_a_change_that_an_engine_takes_too_long_for_is_looked_up(one_node, eventually):
    one_node.create("web")
    with services_of(one_node, eventually, timeout_seconds=0.5) as services:
        services.connect().wait_counts(Counts(desired=0))
        one_node.manager.freeze()
        try:
            assert "no answer within 0.5 s" in services.scale(web=2)[0]
            assert services.scale(web=2)[0].startswith("nothing was sent: ")
        finally:
            one_node.manager.thaw()
        services.wait(lambda seen: seen.counts.desired == one_node.replicas("web"))
    assert re.fullmatch(r"web: the change to 2 (had been|was not) done: [02] are desired", services.happenings[-1])


def test_a_reload_keeps_the_connection_where_nothing_of_it_changed(one_node, services):
    one_node.create("web")
    first = services.connect().backend
    assert services.connect().backend is first
    services.plugin = Swarm(address=one_node.manager.address, service="{type}", timeout_seconds=3.0)
    assert services.connect().backend is not first
    first.close(Event())
