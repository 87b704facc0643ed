"""What the tasks that a manager lists mean for the counts, without a swarm."""

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest

from autoscaler.act.swarm.shapes import NODES, SERVICE, TASKS, read
from autoscaler.act.swarm.sighting import find_hold, sight
from autoscaler.act.swarm.slots import SwarmView
from autoscaler.http_client import Answer, HttpError
from autoscaler.model import Counts

NOW = datetime(2026, 11, 26, 13, 0, tzinfo=UTC)
NODES_THERE = [
    {"ID": "n1", "Description": {"Hostname": "first"}, "Status": {"State": "ready"}},
    {"ID": "n2", "Description": {"Hostname": "second"}, "Status": {"State": "down", "Message": "heartbeat failure"}},
    {"ID": "n3", "Description": {"Hostname": "third"}, "Status": {"State": "unknown"}},
]
IDS = itertools.count(10000)


def written(seconds_ago: float) -> str:
    return (NOW - timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%S.%f123Z")


def task(slot, state, desired="running", *, made=300.0, **more) -> dict:
    """Write a task as a manager does: made and changed so many seconds ago."""
    own = {"changed": made - 1, "node": "n1", "err": "", **more}
    status = {"Timestamp": written(own.pop("changed")), "State": state, "Message": "", "Err": own.pop("err")}
    fixed = {"ID": f"{next(IDS)}abcdefghijklmnopqrst", "ServiceID": "s1", "Version": {"Index": 7}, "Labels": {}, "NodeID": own.pop("node")}
    times = {"CreatedAt": written(made), "UpdatedAt": written(0)}
    spec = {"RestartPolicy": {"Condition": "any", "Delay": 100000000}, **own}
    return {**fixed, **times, "Slot": slot, "Status": status, "DesiredState": desired, "Spec": spec}


def service(desired=1, state=None, action="pause", **more) -> dict:
    spec = {"Name": "shop_web", "Mode": {"Replicated": {"Replicas": desired}}, "UpdateConfig": {"FailureAction": action, "MaxFailureRatio": 0.1}}
    status = {"UpdateStatus": {"State": state, "Message": "update paused due to failure of task x"}} if state else {}
    return {"ID": "s1", "Version": {"Index": 12}, "Spec": {**spec, **more}, **status}


def answered(document) -> Answer:
    return Answer("manager", 200, body=json.dumps(document).encode())


def seen(*tasks, desired=1, nodes=NODES_THERE, **more):
    view = SwarmView(NOW, {node.id: node for node in read(answered(nodes), NODES, "nodes")})
    return sight("web", read(answered(service(desired, **more)), SERVICE, "service"), read(answered(list(tasks)), TASKS, "tasks"), view)


def states(sighting) -> dict[str, str]:
    return {process.name: process.state for process in sighting.processes}


def test_a_running_task_is_a_process_named_by_its_slot():
    found = seen(task(1, "running"), task(2, "running", node="n3"), desired=2)
    assert found.counts == Counts(desired=2, running=2)
    assert [(process.name, process.host) for process in found.processes] == [("web.1", "first"), ("web.2", "third")]
    assert found.version == 12


@pytest.mark.parametrize("state", ["new", "pending", "assigned", "accepted", "preparing", "ready", "starting"])
def test_a_task_on_its_way_starts(state):
    assert seen(task(1, state)).counts == Counts(desired=1, starting=1)


@pytest.mark.parametrize("desired", ["shutdown", "remove"])
def test_a_task_that_runs_and_is_to_end_drains(desired):
    found = seen(task(1, "running"), task(2, "running", desired))
    assert found.counts == Counts(desired=1, running=1, draining=1)
    assert states(found) == {"web.1": "running", "web.2": "draining"}


@pytest.mark.parametrize("state", ["complete", "shutdown", "failed", "rejected", "orphaned", "remove"])
def test_a_task_that_has_ended_does_not_drain(state):
    assert seen(task(1, "running"), task(2, state, "remove")).counts == Counts(desired=1, running=1)


@pytest.mark.parametrize("state", ["new", "pending", "assigned", "ready"])
def test_a_task_that_never_ran_does_not_drain(state):
    assert seen(task(1, "running"), task(2, state, "shutdown")).counts == Counts(desired=1, running=1)


def test_a_process_that_drains_has_a_name_beside_the_one_that_takes_its_slot():
    old = task(1, "running", "shutdown", made=400)
    found = seen(old, task(1, "starting", made=2))
    assert found.counts == Counts(desired=1, starting=1, draining=1)
    assert states(found) == {"web.1": "starting", f"web.1.{old['ID'][:5]}": "draining"}


def test_what_ran_on_a_lost_node_is_unknown():
    found = seen(task(1, "running"), task(2, "running", node="n2"), desired=2)
    assert found.counts == Counts(desired=2, running=1, unknown=1)
    assert "node second does not answer: 1 of shop_web may run there" in found.notes


def test_what_was_replaced_on_a_lost_node_is_unknown_and_not_draining():
    found = seen(task(1, "running", "shutdown", node="n2"), task(1, "running", made=20))
    assert found.counts == Counts(desired=1, running=1, unknown=1)


def test_a_node_whose_state_is_not_known_yet_counts_as_it_did():
    assert seen(task(1, "running", node="n3")).counts == Counts(desired=1, running=1)


def test_without_the_list_of_nodes_nothing_is_lost():
    found = seen(task(1, "running", node="n2"), nodes=[])
    assert (found.counts, found.processes[0].host) == (Counts(desired=1, running=1), None)


def test_one_failure_is_forgotten_when_its_successor_runs():
    found = seen(task(1, "failed", "shutdown", made=9, changed=8, err="task: non-zero exit (3)"), task(1, "running", made=7))
    assert (found.counts, found.crashing) == (Counts(desired=1, running=1), 0)


def failing(slot=1, **more):
    return [task(slot, "failed", "shutdown", made=ago, changed=ago - 1, err="task: non-zero exit (3)", **more) for ago in (12, 9, 6)]


@pytest.mark.parametrize(("state", "desired"), [("ready", "ready"), ("starting", "running"), ("running", "running")])
def test_a_slot_that_fails_again_and_again_has_failed_also_while_it_is_tried_again(state, desired):
    found = seen(*failing(), task(1, state, desired, made=1))
    assert (found.counts, found.crashing) == (Counts(desired=1, failed=1), 1)
    assert "shop_web: 1 failed: task: non-zero exit (3)" in found.notes


def test_a_process_that_lives_twice_as_long_as_those_that_failed_is_trusted():
    found = seen(*failing(), task(1, "running", made=3))
    assert (found.counts, found.crashing) == (Counts(desired=1, running=1), 0)


def test_failures_of_another_version_do_not_count():
    assert seen(*failing(), task(1, "starting", made=1, ContainerSpec={"Image": "mended:2"})).counts == Counts(desired=1, starting=1)


def test_failures_after_a_long_life_are_no_crash_loop():
    long = [task(1, "failed", "shutdown", made=7200 - 3000 * number, changed=7200 - 3000 * (number + 1)) for number in range(2)]
    assert seen(*long, task(1, "starting", made=3)).counts == Counts(desired=1, starting=1)


def test_a_process_that_ends_well_again_and_again_keeps_failing():
    ended = [task(1, "complete", "shutdown", made=ago, changed=ago - 1) for ago in (12, 9)]
    assert seen(*ended, task(1, "starting", made=1)).crashing == 1


def test_a_slot_that_is_not_started_again_has_failed():
    found = seen(task(1, "running"), task(2, "failed", "shutdown", made=900, changed=100, err="task: non-zero exit (1)"), desired=2)
    assert found.counts == Counts(desired=2, running=1, failed=1)
    assert any("does not start 1 again" in note for note in found.notes)


def test_an_old_failure_in_a_slot_that_is_not_wanted_any_more_does_not_count():
    found = seen(task(1, "running"), task(4, "failed", "shutdown", made=900, changed=100))
    assert found.counts == Counts(desired=1, running=1)


def test_while_a_new_version_starts_beside_the_old_one_the_old_one_counts():
    found = seen(task(1, "running"), task(1, "starting", made=2, ContainerSpec={"Image": "new:2"}))
    assert (found.counts, states(found)) == (Counts(desired=1, running=1), {"web.1": "running"})


def test_a_task_that_no_node_takes_is_told_and_is_an_obstacle_when_there_is_no_other():
    pending = task(2, "pending", node="", err="no suitable node (insufficient resources on 2 nodes)")
    assert seen(task(1, "running"), pending, desired=2).obstacle is None
    found = seen(pending)
    assert found.obstacle == "shop_web cannot start: no suitable node (insufficient resources on 2 nodes)"
    assert "shop_web: 1 waits for a node: no suitable node (insufficient resources on 2 nodes)" in found.notes


def test_an_image_that_does_not_exist_is_an_obstacle():
    rejected = [task(1, "rejected", "shutdown", made=ago, changed=ago - 1, err="No such image: absent:1") for ago in (12, 6)]
    assert seen(*rejected, task(1, "assigned", "ready", made=1)).obstacle == "shop_web cannot start: No such image: absent:1"


def test_startup_is_measured_from_a_first_start_alone():
    found = seen(task(1, "running", made=30, changed=26.5), task(2, "running", made=5, changed=1), task(2, "failed", "shutdown", made=99), desired=2)
    assert found.startups == {"web.1": pytest.approx(3.5)}


def test_counts_and_processes_agree():
    found = seen(
        *failing(1), task(1, "starting", made=1), task(2, "running"), task(3, "running", "remove"), task(5, "starting", node="n2"), desired=3
    )
    assert found.counts == Counts(desired=3, running=1, draining=1, failed=1, unknown=1)
    assert sorted(states(found).values()) == ["draining", "failed", "running", "unknown"]


@pytest.mark.parametrize(
    ("state", "action", "words"),
    [
        ("paused", "pause", "the rolling update of shop_web is paused"),
        ("rollback_paused", "rollback", "the rollback of shop_web is paused"),
        ("updating", "rollback", "would take away its rollback"),
    ],
)
def test_a_change_waits_where_it_would_spoil_an_update(state, action, words):
    assert words in find_hold(read(answered(service(1, state, action)), SERVICE, "service"))


@pytest.mark.parametrize(
    ("state", "action"), [(None, "rollback"), ("updating", "pause"), ("completed", "rollback"), ("rollback_completed", "rollback")]
)
def test_a_change_does_not_wait_for_an_update_that_it_does_not_spoil(state, action):
    assert find_hold(read(answered(service(1, state, action)), SERVICE, "service")) is None


def test_a_paused_update_is_told():
    assert "shop_web: paused: update paused due to failure of task x" in seen(task(1, "running"), state="paused").notes


def test_nothing_of_a_specification_is_lost_or_changed_but_the_number():
    strange = {"Future": {"Key": [2**70, 0.1, None, "é"]}, "Labels": {"a": ""}}
    found = read(answered(service(3, **strange)), SERVICE, "service")
    assert found.with_replicas(5) == {**service(3, **strange)["Spec"], "Mode": {"Replicated": {"Replicas": 5}}}


def test_a_service_without_a_number_wants_one():
    assert read(answered({**service(), "Spec": {"Name": "a", "Mode": {"Replicated": {}}}}), SERVICE, "service").desired == 1


@pytest.mark.parametrize("mode", [{"Global": {}}, {"ReplicatedJob": {"MaxConcurrent": 1}}, {"GlobalJob": {}}])
def test_other_modes_have_no_number_of_processes(mode):
    found = read(answered({**service(), "Spec": {"Name": "a", "Mode": mode}}), SERVICE, "service")
    assert (found.is_replicated, found.mode) == (
        False,
        {"Global": "global", "ReplicatedJob": "replicated-job", "GlobalJob": "global-job"}[next(iter(mode))],
    )


@pytest.mark.parametrize(
    "document", [[], {}, {"ID": 5}, None, {**service(), "Spec": {"Name": "a", "Mode": []}}, {**service(), "Version": {"Index": "x"}}]
)
def test_an_answer_of_another_shape_is_said_so(document):
    with pytest.raises(HttpError, match="manager answered with no service of Docker Swarm: at "):
        read(answered(document), SERVICE, "service")
