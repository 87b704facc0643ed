"""The backend over services that need a while to be what a test needs: all of them are begun at once."""

import pytest

from autoscaler.model import Counts
from tests.act.swarm.conftest import services_of
from tests.swarm_nodes import DRAINER, lent

pytestmark = pytest.mark.server

SECOND = 1_000_000_000
WATCHED = {"Parallelism": 1, "Monitor": 20 * SECOND, "MaxFailureRatio": 0}
CRASHER = ("sh", "-c", "sleep 0.1; exit 3")
OPTIONS = """
--label=team=shop --env=COLOUR=blé --update-parallelism=2 --update-max-failure-ratio=0.1 --limit-memory=64m
--ulimit=nofile=1024:2048 --cap-drop=CAP_CHOWN --constraint=node.role==manager --rollback-order=start-first
--stop-grace-period=1h --container-label=a=b --hostname={{.Task.Slot}} --init
"""


@pytest.fixture(scope="module")
def empty_swarm(request):
    """A swarm of one node, for all of these tests."""
    yield from lent(request.config, ("one",))


@pytest.fixture(scope="module")
def swarm(empty_swarm):
    """The swarm with a service for each of the tests."""
    empty_swarm.create("paused", replicas=1, UpdateConfig={**WATCHED, "FailureAction": "pause"})
    empty_swarm.create("rolled", replicas=1, UpdateConfig={**WATCHED, "FailureAction": "rollback"})
    empty_swarm.create("drained", DRAINER, 2)
    empty_swarm.create("crashing", CRASHER, 1)
    empty_swarm.manager.docker("service", "create", "--detach", "--no-resolve-image", "--name=rich", *OPTIONS.split(), "tiny:1", "sleep", "1000")
    break_down(empty_swarm, "paused")
    return empty_swarm


@pytest.fixture
def services(swarm, eventually):
    with services_of(swarm, eventually) as made:
        yield made


def break_down(swarm, name):
    """Update a service to a version that fails at once."""
    service = swarm.service(name)
    service["Spec"]["TaskTemplate"]["ContainerSpec"]["Command"] = list(CRASHER)
    swarm.manager.ask("POST", f"/services/{service['ID']}/update?version={service['Version']['Index']}", service["Spec"])


def update_state(swarm, name):
    return swarm.service(name).get("UpdateStatus", {}).get("State")


def command(swarm, name):
    return swarm.service(name)["Spec"]["TaskTemplate"]["ContainerSpec"]["Command"][0]


def running(swarm, name):
    return [task["ID"] for task in swarm.tasks(name) if task["Status"]["State"] == task["DesiredState"] == "running"]


def test_what_drains_is_no_capacity(swarm, services):
    services.connect("drained").wait_counts(Counts(desired=2, running=2), "drained")
    services.scale(drained=1)
    services.wait_counts(Counts(desired=1, running=1, draining=1), "drained")
    (swarm.shared / "finish").touch()
    services.wait_counts(Counts(desired=1, running=1), "drained")


def test_a_change_of_the_number_changes_nothing_else_and_restarts_nothing(swarm, services):
    services.connect("rich").wait_counts(Counts(desired=1, running=1), "rich")
    before, ran = swarm.service("rich"), running(swarm, "rich")
    assert services.scale(rich=2) == [None]
    services.wait_counts(Counts(desired=2, running=2), "rich")
    after = swarm.service("rich")
    assert after["Spec"] == {**before["Spec"], "Mode": {"Replicated": {"Replicas": 2}}}
    assert set(ran) < set(running(swarm, "rich"))


def test_an_update_that_fails_is_rolled_back_although_more_were_needed_meanwhile(swarm, services):
    services.connect("rolled").wait_counts(Counts(desired=1, running=1), "rolled")
    break_down(swarm, "rolled")
    services.wait(lambda _: update_state(swarm, "rolled") == "updating", "rolled")
    assert services.scale(rolled=3) == [None]
    assert (swarm.replicas("rolled"), command(swarm, "rolled")) == (1, "sh")
    assert "where it hangs, undo it (docker service rollback rolled)" in services.see("rolled").notes[0]
    services.eventually(lambda: services.observe() and services.scale(rolled=3) == [None] and swarm.replicas("rolled") == 3)
    assert command(swarm, "rolled") == "sleep"


def test_a_paused_update_is_not_set_going_by_a_change_of_the_number(swarm, services):
    services.connect("paused")
    services.wait(lambda seen: any(note.startswith("paused: paused: update paused due to failure") for note in seen.notes), "paused")
    assert services.scale(paused=4) == [None]
    assert (swarm.replicas("paused"), update_state(swarm, "paused")) == (1, "paused")
    assert any(note.startswith("the change to 4 waits: the rolling update of paused is paused") for note in services.see("paused").notes)
    swarm.manager.docker("service", "rollback", "--detach", "paused")
    services.eventually(lambda: services.observe() and services.scale(paused=4) == [None] and swarm.replicas("paused") == 4)
    assert command(swarm, "paused") == "sleep"


def test_a_service_that_fails_again_and_again_is_crash_looping(services):
    services.connect("crashing")
    seen = services.wait(lambda seen: seen.is_crash_looping, "crashing")
    assert (seen.counts.failed, seen.counts.capacity) == (1, 0)
    assert "crashing: 1 failed: task: non-zero exit (3)" in seen.notes
    for _ in range(20):
        assert services.counts("crashing").failed == 1
