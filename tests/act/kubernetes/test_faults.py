"""What is said, and what is done, when the API fails in every way an API fails."""

import json
import time
from threading import Event

import pytest

from autoscaler.act.remote.engine import Sighting
from autoscaler.model import Change, Counts, ProcessType
from tests.api_stub import HTML, Reply, closing
from tests.kubernetes_api import BUSY, TOKEN, KubernetesApi, failure, make_certificates

READ = "GET /apis/apps/v1/namespaces/shop/deployments/web"
WEB = ProcessType(name="web", minimum=0, maximum=9, interval_seconds=1.0)


def allow(cluster, *rights):
    cluster.users[TOKEN].rights = frozenset(rights)


def test_workload_that_is_not_there_is_named_with_those_that_are(cluster, hold):
    cluster.users[TOKEN].rights |= {"list deployments", "get namespaces"}
    cluster.deploy("wbe", 1)
    assert hold().trouble() == "deployment/web is not in namespace shop; did you mean wbe?, or correct workload: or names:"


def test_workload_that_is_not_there_is_named_without_more_rights(hand):
    assert hand.trouble() == "deployment/web is not in namespace shop; create it, or correct workload: or names:"


def test_namespace_that_is_not_there_is_named(cluster, hold):
    cluster.users[TOKEN].rights |= {"get namespaces"}
    said = hold(namespace="shpo").trouble()
    assert said == f"namespace shpo does not exist on {cluster.url.removeprefix('https://')}; create it, or correct namespace:"


def test_missing_workload_is_explained_once_a_minute(cluster, hand):
    hand.trouble()
    cluster.asked.clear()
    hand.trouble()
    assert cluster.lines() == [READ]


def test_workload_that_comes_back_is_seen_at_once(cluster, hand):
    hand.trouble()
    cluster.deploy("web", 1)
    assert hand.look().counts == Counts(desired=1, running=1)


def test_custom_resource_that_is_not_installed_is_named(cluster, hold):
    allow(cluster, "*")
    said = hold(workload="rollouts.v1alpha1.argoproj.io/{type}").trouble()
    assert said.endswith("knows no rollouts.v1alpha1.argoproj.io with a scale; is it installed?")


def test_custom_resource_without_a_scale_is_named(cluster, hold):
    allow(cluster, "*")
    assert "knows no widgets.v1.example.com with a scale" in hold(workload="widgets.v1.example.com/{type}").trouble()


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (Reply(200, HTML), "answered with HTML, not JSON"),
        (Reply(200, b""), "answered with an empty page, not JSON"),
        (Reply(200, b'{"kind": "Deployment"'), "answered with a body that is not JSON"),
        (Reply(200, []), "answered with no Deployment of Kubernetes: at the top, "),
        (
            Reply(200, {"kind": "Deployment", "metadata": {}, "spec": {}}),
            "answered with no Deployment of Kubernetes: at spec.replicas, field required",
        ),
        (
            Reply(200, {"kind": "Deployment", "metadata": {}, "spec": {"replicas": -1}}),
            "at spec.replicas, input should be greater than or equal to 0",
        ),
        (Reply(200, {"kind": "Pod", "metadata": {}, "spec": {"replicas": 1}}), "deployment/web was asked for, and a Pod came"),
        (Reply(404, HTML), "answered 404 Not Found with HTML, not as Kubernetes does; give the address of a Kubernetes API server"),
        (Reply(403, "no"), "answered 403 Forbidden with something else, not as Kubernetes does"),
        (Reply(302, b"", {"Location": "https://login.example.com/?next=secret"}), "a redirect to https://login.example.com/, not as Kubernetes does"),
        (Reply(502, HTML), "answered 502 Bad Gateway"),
        (failure(500, "InternalError", "Internal error occurred: etcd"), "answered 500 Internal Server Error: Internal error occurred: etcd"),
        (failure(503, "ServiceUnavailable", "apiserver is shutting\ndown"), "answered 503 Service Unavailable: apiserver is shutting down"),
        (failure(504, "Timeout", "Timeout: request did not complete"), "answered 504 Gateway Timeout: Timeout: request did not complete"),
        (BUSY, "answered 429 Too Many Requests: too many requests, please try again later"),
    ],
)
def test_answer_that_is_no_workload_is_told_in_words(cluster, hand, reply, sentence):
    cluster.deploy("web", 1)
    cluster.fail(reply, READ, times=2)
    assert sentence in hand.trouble()


@pytest.mark.parametrize("way", ["reset", "lost", "half"])
def test_connection_that_breaks_is_told_and_the_next_look_repairs_it(cluster, hand, way):
    cluster.deploy("web", 1)
    cluster.fail(way, READ, times=3)
    assert "closed the connection" in hand.trouble()
    cluster.forgive()
    assert hand.look().counts == Counts(desired=1, running=1)


def test_certificate_of_another_authority_is_told(cluster, hold, tmp_path):
    cluster.deploy("web", 1)
    other = make_certificates(tmp_path)
    assert "TLS with 127.0.0.1" in hold(ca=str(other.ca)).trouble()


def test_api_that_is_down_is_told_and_found_again(cluster_reach, cluster_certificates):
    with closing(KubernetesApi(cluster_certificates.server)) as gone:
        gone.deploy("web", 1)
        cluster_reach.cluster = gone
        engine = cluster_reach.plugin()._engine((WEB,))
        assert isinstance(engine.look()["web"], Sighting)
    assert "connection refused" in engine.look()["web"]
    engine.close()


def test_pods_of_a_wrong_shape_leave_the_counts(cluster, hand):
    cluster.deploy("web", 1)
    cluster.fail(Reply(200, {"kind": "PodList", "metadata": {}, "items": [{"metadata": {"name": 5}}]}), "/pods")
    seen = hand.look()
    assert seen.counts == Counts(desired=1, running=1)
    assert "answered with no Pods of Kubernetes: at items.0.metadata.name, input should be a valid string" in seen.notes[0]


# Beside the tick


@pytest.fixture
def live(cluster_reach):
    cluster_reach.cluster.deploy("web", 1)
    made = cluster_reach.plugin().connect((WEB,), None)
    yield made
    hurry = Event()
    hurry.set()
    made.close(hurry)


def test_silent_api_holds_the_tick_for_a_moment_only(cluster, live):
    cluster.fail("silent", READ)
    began = time.monotonic()
    formation = live.observe()
    assert time.monotonic() - began < 1.0
    assert "no answer yet" in formation.errors["web"]


def test_change_of_which_nobody_knows_is_looked_up_and_not_repeated(cluster, live, eventually):
    live.observe()
    cluster.fail("lost", "PATCH")
    assert live.scale((Change("web", 1, 3, "a test"),))[0].error
    eventually(lambda: live.observe().types["web"].counts == Counts(desired=3, running=3))
    live.scale((Change("web", 3, 3, "a test"),))
    assert len(cluster.lines("PATCH")) == 1


def test_refused_change_is_an_error_of_its_type(cluster, live):
    live.observe()
    allow(cluster, "get deployments")
    assert "no right to patch deployments/scale" in live.scale((Change("web", 1, 3, "a test"),))[0].error


def test_hundred_types_at_50_ms_a_call_take_some_ten_calls_time_and_not_two_hundred(cluster, cluster_reach, eventually):
    types = tuple(ProcessType(name=f"type-{number}", minimum=0, maximum=9, interval_seconds=12.0) for number in range(100))
    for each in types:
        cluster.deploy(each.name, 1)
    cluster.pods("type-0")  # all are started
    cluster.checks_answers, cluster.is_frozen = False, True
    backend = cluster_reach.plugin().connect(types, None)
    eventually(lambda: len(backend.observe().types) == 100)  # what is asked once is asked now, and the connections are there
    cluster.latency = 0.05
    cluster.asked.clear()
    began = time.monotonic()
    formation = backend.observe()
    outcomes = backend.scale(tuple(Change(each.name, 1, 2, "a test") for each in types))
    took = time.monotonic() - began
    assert (len(formation.types), {each.error for each in outcomes}) == (100, {None})
    assert len(cluster.asked) == 203  # a read and a write a type, and three lists of pods
    assert took < 5.0  # one after the other they take 10 s; alone on two cores this takes 0.6 s
    backend.close(Event())


def test_nothing_that_is_said_holds_the_token(cluster, hold):
    cluster.fail(failure(500, "InternalError", json.dumps({"token": "hidden"})), READ)
    assert TOKEN not in hold().trouble()
