"""What is seen of workloads, at every level of rights."""

from datetime import datetime, timedelta

import pytest

from autoscaler.model import Address, Counts, Process
from tests.api_stub import Reply
from tests.kubernetes_api import (
    FULL,
    RESOURCES,
    SCALER,
    TOKEN,
    failure,
    ill,
    on_silent_node,
    scale_of,
    unschedulable,
)

HPA = RESOURCES["autoscaling", "v2", "horizontalpodautoscalers"]
KEDA = RESOURCES["keda.sh", "v1alpha1", "scaledobjects"]


def allow(cluster, *rights):
    cluster.users[TOKEN].rights = frozenset(rights)


def test_pods_are_processes(cluster, hand):
    cluster.deploy("web", 2)
    seen = hand.look()
    assert seen.counts == Counts(desired=2, running=2)
    assert seen.processes == tuple(Process(pod["metadata"]["name"], "running", host="node-1") for pod in cluster.pods("web"))
    assert seen.unready is None


def test_count_of_none_is_read_from_a_scale_that_leaves_it_out(cluster, hand):
    allow(cluster, "get deployments/scale")
    cluster.deploy("web", 0)
    assert hand.look().counts == Counts(desired=0)


def test_pods_that_are_not_ready_start(cluster, hand):
    cluster.start = 60.0
    cluster.deploy("web", 3)
    seen = hand.look()
    assert seen.counts == Counts(desired=3, starting=3)
    assert {each.state for each in seen.processes} == {"starting"}


def test_pods_that_end_drain_and_are_no_capacity(cluster, hand):
    cluster.drain = 60.0
    cluster.deploy("web", 3)
    assert hand.look().counts.running == 3
    cluster.set_count("web", 1)
    assert hand.look().counts == Counts(desired=1, running=1, draining=2)


def test_what_the_cluster_has_not_begun_yet_starts(cluster, hand):
    cluster.deploy("web", 1)
    hand.look()
    cluster.is_frozen = True
    cluster.set_count("web", 4)
    assert hand.look().counts == Counts(desired=4, running=1, starting=3)


def test_startup_is_the_time_from_creation_to_ready(cluster, hand):
    cluster.deploy("web", 1)
    pod = cluster.pods("web")[0]
    pod["metadata"]["creationTimestamp"] = "2026-11-26T10:00:00Z"
    next(each for each in pod["status"]["conditions"] if each["type"] == "Ready")["lastTransitionTime"] = "2026-11-26T10:00:07Z"
    assert hand.look().startups == {pod["metadata"]["name"]: 7.0}


def test_startup_of_a_pod_that_was_restarted_is_not_told(cluster, hand):
    cluster.deploy("web", 1)
    cluster.pods("web")[0]["status"]["containerStatuses"][0]["restartCount"] = 1
    assert hand.look().startups == {}


def test_pods_serve_metrics_where_their_annotation_says(cluster, hand):
    made = cluster.deploy("web", 1)
    made["spec"]["template"]["metadata"]["annotations"] = {"prometheus.io/port": "9102"}
    assert hand.look().processes[0].metrics == Address("10.0.0.7", 9102)


def test_pod_that_is_ready_again_has_not_started_again(cluster, hand):
    cluster.deploy("web", 1)
    pod = cluster.pods("web")[0]
    first = hand.look().startups
    ready = next(each for each in pod["status"]["conditions"] if each["type"] == "Ready")
    ready["status"] = "False"
    cluster.is_frozen = True
    assert hand.look().startups == first
    born = datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
    ready |= {"status": "True", "lastTransitionTime": (born + timedelta(minutes=40)).strftime("%Y-%m-%dT%H:%M:%SZ")}
    seen = hand.look()
    assert (seen.counts.running, seen.startups) == (1, first)


@pytest.mark.parametrize("port", ["http", "0", "70000", ""])
def test_annotation_that_is_no_port_is_no_address(cluster, hand, port):
    made = cluster.deploy("web", 1)
    made["spec"]["template"]["metadata"]["annotations"] = {"prometheus.io/port": port}
    assert hand.look().processes[0].metrics is None


# What keeps a pod from running


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (
            ill("CrashLoopBackOff", "back-off 5m0s restarting failed container", restarts=4, last={"exitCode": 1, "reason": "Error"}),
            "web: 2 processes fail: CrashLoopBackOff, last ended with 1",
        ),
        (
            ill("CrashLoopBackOff", restarts=4, last={"exitCode": 137, "reason": "OOMKilled"}),
            "web: 2 processes fail: CrashLoopBackOff, last ended with 137 (OOMKilled)",
        ),
        (ill("ImagePullBackOff", 'Back-off pulling image "shop:2"'), 'web: 2 processes fail: ImagePullBackOff: Back-off pulling image "shop:2"'),
        (ill("CreateContainerConfigError", 'secret "shop" not found'), 'web: 2 processes fail: CreateContainerConfigError: secret "shop" not found'),
    ],
)
def test_pods_that_cannot_get_ready_fail_and_say_why(cluster, hand, status, sentence):
    cluster.ailments["web"] = status
    cluster.deploy("web", 2)
    seen = hand.look()
    assert (seen.counts, seen.crashing, seen.notes) == (Counts(desired=2, failed=2), 2, (sentence,))


def test_pod_between_two_of_many_restarts_has_failed(cluster, hand):
    status = ill("", restarts=5, last={"exitCode": 2, "reason": "Error"})
    status["containerStatuses"][0]["state"] = {"running": {"startedAt": "2026-11-26T10:00:00Z"}}
    cluster.ailments["web"] = status
    cluster.deploy("web", 1)
    assert hand.look().notes == ("web: 1 process fails: keeps restarting, last ended with 2",)


def test_pods_without_a_node_say_what_the_scheduler_says(cluster, hand):
    cluster.ailments["web"] = unschedulable("0/3 nodes are available: 3 Insufficient cpu.")
    cluster.deploy("web", 2)
    seen = hand.look()
    assert seen.counts == Counts(desired=2, starting=2)
    assert seen.notes == ("web: 2 processes have no host to run on: 0/3 nodes are available: 3 Insufficient cpu.",)


def test_pods_on_a_node_that_does_not_answer_are_unknown(cluster, hand):
    cluster.ailments["web"] = on_silent_node()
    cluster.deploy("web", 2)
    seen = hand.look()
    assert seen.counts == Counts(desired=2, unknown=2)
    assert seen.notes == ("web: 2 processes are on node-1, which does not answer",)


def test_pods_that_were_evicted_do_not_count(cluster, hand):
    cluster.deploy("web", 2)
    cluster.pods("web")[0]["status"] = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}
    cluster.ailments["web"] = cluster.pods("web")[1]["status"]
    seen = hand.look()
    assert (seen.counts.desired, seen.counts.failed, len(seen.processes)) == (2, 0, 2)


def test_pods_of_others_with_the_same_labels_do_not_count(cluster, hand):
    cluster.deploy("web", 1)
    strange = dict(cluster.pods("web")[0])
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "backup", "uid": "1", "controller": True}
    strange["metadata"] = {**strange["metadata"], "ownerReferences": [owner]}
    cluster.put(RESOURCES["", "v1", "pods"], "shop", "backup-x", strange)
    assert hand.look().counts.running == 1


# What the workload says


def test_paused_workload_is_named(cluster, hand):
    cluster.deploy("web", 1, paused=True)
    assert hand.look().notes == ("deployment/web is paused: its count still changes, but a new release of it does not roll out",)


def test_stuck_rollout_is_named(cluster, hand):
    cluster.deploy("web", 1)
    message = 'ReplicaSet "web-6d4cf56db6" has timed out progressing.'
    cluster.set_condition("web", type="Progressing", status="False", reason="ProgressDeadlineExceeded", message=message)
    assert hand.look().notes == (f"the rollout of deployment/web is stuck: {message}",)


def test_quota_that_is_used_up_is_named_without_the_name_of_the_pod_it_refused(cluster, hand):
    cluster.quota["web"] = 2
    cluster.deploy("web", 4)
    message = 'pods "web-6d4cf56db6-x2x7b" is forbidden: exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2'
    cluster.set_condition("web", type="ReplicaFailure", status="True", reason="FailedCreate", message=message)
    seen = hand.look()
    assert seen.counts == Counts(desired=4, running=2, starting=2)
    assert seen.notes == ("deployment/web cannot start processes: exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2",)


# Rights


def test_without_pods_ready_counts_come_from_the_workload(cluster, hand):
    allow(cluster, *SCALER)
    cluster.start = 60.0
    cluster.deploy("web", 2)
    seen = hand.look()
    assert (seen.counts, seen.processes, seen.unready, seen.notes) == (Counts(desired=2, starting=2), (), None, ())


def test_without_pods_what_the_cluster_has_not_begun_yet_starts(cluster, hand):
    allow(cluster, *SCALER)
    cluster.deploy("web", 1)
    hand.look()
    cluster.is_frozen = True
    cluster.set_count("web", 4)
    assert hand.look().counts == Counts(desired=4, running=1, starting=3)


def test_without_pods_draining_comes_from_the_status_where_it_says(cluster, hand):
    allow(cluster, *SCALER)
    cluster.tells_draining, cluster.drain = True, 60.0
    cluster.deploy("web", 3)
    hand.look()
    cluster.set_count("web", 1)
    assert hand.look().counts == Counts(desired=1, running=1, draining=2)


def test_with_the_scale_alone_it_is_said_that_readiness_is_not_known(cluster, hand):
    allow(cluster, "get deployments/scale", "patch deployments/scale")
    cluster.start = 60.0
    cluster.deploy("web", 2)
    seen = hand.look()
    assert seen.counts == Counts(desired=2, running=2)
    assert seen.unready == (
        "it is not known which processes of deployment/web are ready: only its scale may be read; "
        "give the autoscaler's account get on deployments in namespace shop"
    )


def test_with_the_scale_and_pods_readiness_is_known(cluster, hand):
    allow(cluster, "get deployments/scale", "list pods")
    cluster.start = 60.0
    cluster.deploy("web", 2)
    seen = hand.look()
    assert (seen.counts, seen.unready) == (Counts(desired=2, starting=2), None)


def test_what_was_refused_is_not_asked_for_again_within_a_minute(cluster, hand):
    allow(cluster, "get deployments/scale")
    cluster.deploy("web", 1)
    hand.look()
    cluster.asked.clear()
    hand.wait(50)
    hand.look()
    assert cluster.lines() == ["GET /apis/apps/v1/namespaces/shop/deployments/web/scale"]


def test_right_to_the_workload_alone_is_found_as_soon_as_it_comes(cluster, hand):
    allow(cluster)
    cluster.deploy("web", 1)
    assert isinstance(hand.engine.look()["web"], str)
    allow(cluster, "get deployments")
    assert hand.look().counts == Counts(desired=1, running=1)


def test_rights_that_were_given_meanwhile_are_found_within_a_minute(cluster, hand):
    allow(cluster, "get deployments/scale")
    cluster.deploy("web", 1)
    assert hand.look().unready
    allow(cluster, *FULL)
    hand.wait(61)
    seen = hand.look()
    assert (seen.unready, len(seen.processes), seen.chooses_idlest) == (None, 1, True)


def test_rights_that_were_taken_away_leave_what_can_be_seen(cluster, hand):
    cluster.deploy("web", 1)
    assert hand.look().processes
    allow(cluster, *SCALER)
    seen = hand.look()
    assert (seen.counts, seen.processes) == (Counts(desired=1, running=1), ())


def test_without_any_right_the_words_of_kubernetes_and_the_fix_are_told(cluster, hand):
    allow(cluster)
    cluster.deploy("web", 1)
    said = hand.trouble()
    assert 'User "system:serviceaccount:shop:autoscaler" cannot get resource "deployments/scale"' in said
    assert said.endswith("give the autoscaler's account get on deployments in namespace shop")


def test_pods_that_cannot_be_listed_leave_the_counts_and_a_note(cluster, hand):
    cluster.deploy("web", 2)
    cluster.fail(failure(500, "InternalError", "Internal error occurred: etcdserver: request timed out"), "GET /api/v1/namespaces/shop/pods")
    seen = hand.look()
    assert seen.counts == Counts(desired=2, running=2)
    assert "etcdserver: request timed out" in seen.notes[0]


# Other kinds of workloads


def test_stateful_sets_are_scaled_too(cluster, hold):
    hand = hold(workload="statefulset/{type}")
    cluster.deploy("web", 2, kind="statefulsets")
    seen = hand.look()
    assert [each.name for each in seen.processes] == ["web-0", "web-1"]
    assert (seen.counts, seen.chooses_idlest) == (Counts(desired=2, running=2), False)
    assert hand.scale(3).kind == "done"
    assert hand.look().counts == Counts(desired=3, running=3)


def test_stateful_set_counts_what_drains_without_pods(cluster, hold):
    hand = hold(workload="sts/{type}")
    allow(cluster, "get statefulsets")
    cluster.drain = 60.0
    cluster.deploy("web", 3, kind="statefulsets")
    hand.look()
    cluster.set_count("web", 1, "statefulsets.apps")
    assert hand.look().counts == Counts(desired=1, running=1, draining=2)


def test_replica_sets_are_scaled_too(cluster, hold):
    hand = hold(workload="replicaset/{type}")
    cluster.deploy("web", 1, kind="replicasets")
    assert hand.scale(2).kind == "done"
    assert hand.look().counts == Counts(desired=2, running=2)


def test_custom_resources_are_scaled_too(cluster, hold):
    hand = hold(workload="crawlers.v1.example.com/{type}")
    cluster.deploy("web", 1, kind="crawlers")
    assert hand.scale(3).kind == "done"
    seen = hand.look()
    assert (seen.counts, len(seen.processes), seen.unready) == (Counts(desired=3, running=3), 3, None)


def test_custom_resource_without_pods_says_which_right_would_tell_more(cluster, hold):
    hand = hold(workload="crawlers.v1.example.com/{type}")
    allow(cluster, "get crawlers/scale")
    cluster.deploy("web", 1, kind="crawlers")
    assert hand.look().unready.endswith("give the autoscaler's account list on pods in namespace shop")


def test_custom_resource_whose_scale_names_no_pods_says_what_it_lacks(cluster, hold):
    hand = hold(workload="crawlers.v1.example.com/{type}")
    scale = scale_of(cluster.deploy("web", 2, kind="crawlers"))
    cluster.fail(Reply(200, {**scale, "status": {"replicas": 2}}), "/scale")
    seen = hand.look()
    assert (seen.counts, seen.processes) == (Counts(desired=2, running=2), ())
    assert seen.unready == (
        "it is not known which processes of crawlers.example.com/web are ready: its scale does not say which pods are its own "
        "(status.selector); its custom resource definition needs a labelSelectorPath"
    )


def test_pods_that_could_not_be_listed_are_no_right_that_lacks(cluster, hold):
    hand = hold(workload="crawlers.v1.example.com/{type}")
    cluster.deploy("web", 2, kind="crawlers")
    cluster.fail("half", "/pods")
    seen = hand.look()
    assert "give the autoscaler's account" not in seen.unready
    assert seen.unready.endswith("only its scale may be read, and its pods could not be listed")


def test_types_may_be_different_kinds(cluster, hold):
    hand = hold("web", "db", names={"db": "statefulset/postgres", "web": "front"})
    cluster.deploy("front", 1)
    cluster.deploy("postgres", 2, kind="statefulsets")
    assert (hand.look("web").counts.running, hand.look("db").counts.running) == (1, 2)


# Lists of pods


def test_one_list_serves_all_types(cluster, hold):
    hand = hold("web", "job", "mail")
    for name in ("web", "job", "mail"):
        cluster.deploy(name, 2)
    assert {name: each.counts.running for name, each in hand.engine.look().items()} == {"web": 2, "job": 2, "mail": 2}
    (asked,) = [each for each in cluster.asked if each.path.endswith("/pods")]
    assert asked.query["labelSelector"] == "app=shop,process in (job,mail,web)"


def test_long_lists_come_in_pages(cluster, hand):
    cluster.page_limit = 3
    cluster.deploy("web", 8)
    assert hand.look().counts.running == 8
    assert cluster.lines().count("GET /api/v1/namespaces/shop/pods") == 3


def test_list_that_has_become_too_old_is_asked_for_anew(cluster, hand):
    cluster.page_limit, cluster.expires_pages = 3, 1
    cluster.deploy("web", 5)
    assert len(hand.look().processes) == 5


def test_pods_of_another_deployment_with_the_same_labels_are_not_counted(cluster, hand):
    cluster.deploy("web", 2)
    canary = cluster.deploy("web-canary", 3)
    canary["spec"]["template"]["metadata"]["labels"] = {"app": "shop", "process": "web", "track": "canary"}
    assert hand.look().counts == Counts(desired=2, running=2)
    cluster.set_count("web", 0)
    assert hand.look().counts == Counts(desired=0)


def test_pods_that_a_deployment_has_adopted_are_its_own(cluster, hand):
    cluster.deploy("web", 2)
    for pod in cluster.pods("web"):
        pod["metadata"]["ownerReferences"][0]["name"] = "front-6d4cf56db6"
    assert hand.look().counts == Counts(desired=2, running=2)


def test_selector_with_expressions_has_a_list_of_its_own(cluster, hand):
    expressions = [{"key": "process", "operator": "In", "values": ["web"]}, {"key": "old", "operator": "DoesNotExist"}]
    cluster.deploy("web", 2, selector={"matchLabels": {"app": "shop"}, "matchExpressions": expressions})
    assert hand.look().counts.running == 2
    (asked,) = [each for each in cluster.asked if each.path.endswith("/pods")]
    assert asked.query["labelSelector"] == "app=shop,process in (web),!old"


def test_pods_are_listed_once_a_look_and_rivals_every_five_minutes(cluster, hand):
    cluster.deploy("web", 1)
    hand.look()
    cluster.asked.clear()
    hand.look()
    assert cluster.lines() == ["GET /apis/apps/v1/namespaces/shop/deployments/web", "GET /api/v1/namespaces/shop/pods"]


# Rivals


def horizontal(cluster, name="web", **target):
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", **target}
    cluster.put(HPA, "shop", name, {"spec": {"scaleTargetRef": reference, "maxReplicas": 10}})


def test_horizontal_pod_autoscaler_of_the_same_workload_is_named(cluster, hand):
    cluster.deploy("web", 1)
    horizontal(cluster)
    assert hand.look().notes == ("HorizontalPodAutoscaler web also scales deployment/web; two controllers of one count fight: delete one of them",)


def test_horizontal_pod_autoscaler_of_another_workload_is_not_named(cluster, hand):
    cluster.deploy("web", 1)
    horizontal(cluster, kind="StatefulSet")
    assert hand.look().notes == ()


def test_object_of_keda_is_named_in_place_of_the_autoscaler_it_makes(cluster, hand):
    cluster.deploy("web", 1)
    horizontal(cluster, "keda-hpa-web")
    cluster.put(KEDA, "shop", "queue", {"spec": {"scaleTargetRef": {"name": "web"}, "triggers": []}})
    assert hand.look().notes == ("ScaledObject queue of KEDA also scales deployment/web; two controllers of one count fight: delete one of them",)


def test_paused_object_of_keda_is_no_rival(cluster, hand):
    cluster.deploy("web", 1)
    paused = {"metadata": {"annotations": {"autoscaling.keda.sh/paused": "true"}}, "spec": {"scaleTargetRef": {"name": "web"}}}
    cluster.put(KEDA, "shop", "queue", paused)
    assert hand.look().notes == ()


@pytest.mark.parametrize("has_keda", [True, False])
def test_rivals_that_cannot_be_seen_are_not_spoken_of(cluster, hand, has_keda):
    cluster.has_keda = has_keda
    allow(cluster, *SCALER, "list pods")
    cluster.deploy("web", 1)
    horizontal(cluster)
    assert hand.look().notes == ()


@pytest.mark.parametrize("way", ["half", Reply(503, b"<html>")])
def test_rival_is_not_forgotten_because_the_api_has_no_answer(cluster, hand, way):
    cluster.deploy("web", 1)
    horizontal(cluster)
    noted = hand.look().notes
    hand.wait(301)
    cluster.fail(way, "/horizontalpodautoscalers")
    assert hand.look().notes == noted


def test_rival_that_has_gone_is_forgotten_within_five_minutes(cluster, hand):
    cluster.deploy("web", 1)
    horizontal(cluster)
    assert hand.look().notes
    del cluster.objects[HPA.qualified, "shop", "web"]
    hand.wait(301)
    assert hand.look().notes == ()
