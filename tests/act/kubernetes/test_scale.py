"""What becomes of changes, and of those that somebody else makes meanwhile."""

import copy
import json

import pytest

from autoscaler.act.remote.engine import DONE
from autoscaler.model import Counts
from tests.kubernetes_api import BUSY, COST, FULL, SCALER, TOKEN, failure

WRITE = "PATCH /apis/apps/v1/namespaces/shop/deployments/web/scale"
OURS = "-1000000000"


def allow(cluster, *rights):
    cluster.users[TOKEN].rights = frozenset(rights)


def writes(cluster):
    return [each for each in cluster.asked if each.method == "PATCH" and each.path.endswith("/scale")]


def count(cluster, name="web"):
    return cluster.workload(name)["spec"]["replicas"]


def names(cluster):
    return [pod["metadata"]["name"] for pod in cluster.pods("web")]


def costs(cluster):
    return {pod["metadata"]["name"]: pod["metadata"].get("annotations", {}).get(COST) for pod in cluster.pods("web")}


def test_count_is_set_once_with_the_version_that_was_seen(cluster, hand):
    cluster.deploy("web", 1)
    seen = hand.look()
    assert hand.scale(4, seen) == DONE
    (write,) = writes(cluster)
    assert json.loads(write.body) == {"metadata": {"resourceVersion": seen.version}, "spec": {"replicas": 4}}
    assert write.query == {"fieldManager": "formation-autoscaler", "fieldValidation": "Strict"}
    assert hand.look().counts == Counts(desired=4, running=4)


def test_count_goes_to_none_and_back(cluster, hand):
    cluster.deploy("web", 2)
    assert hand.scale(0) == DONE
    assert hand.look().counts == Counts(desired=0)
    assert hand.scale(1) == DONE
    assert hand.look().counts == Counts(desired=1, running=1)


def test_change_of_something_else_is_looked_at_again_and_written_over(cluster, hand):
    cluster.deploy("web", 1)
    seen = hand.look()
    cluster.touch("web")
    assert hand.scale(3, seen) == DONE
    assert (count(cluster), len(writes(cluster))) == (3, 2)


def test_count_that_somebody_else_set_stays(cluster, hand):
    cluster.deploy("web", 2)
    seen = hand.look()
    cluster.set_count("web", 4)
    verdict = hand.scale(3, seen)
    assert (verdict.kind, verdict.sentence) == ("refused", "somebody else set it from 2 to 4 meanwhile; decided again at the next tick")
    assert (count(cluster), len(writes(cluster))) == (4, 1)


def test_workload_that_changes_all_the_time_is_written_to_twice_at_most(cluster, hand):
    cluster.deploy("web", 1)
    seen = hand.look()
    conflict = failure(409, "Conflict", 'Operation cannot be fulfilled on deployments.apps "web": the object has been modified')
    cluster.fail(conflict, WRITE, times=5)
    verdict = hand.scale(3, seen)
    assert (verdict.kind, verdict.sentence, len(writes(cluster))) == ("waits", "deployment/web changes all the time", 2)


def test_many_types_are_scaled_at_once(cluster, hold):
    hand = hold("web", "job")
    cluster.deploy("web", 1)
    cluster.deploy("job", 1)
    assert hand.scale(2, name="web") == hand.scale(3, name="job") == DONE
    assert (count(cluster), count(cluster, "job")) == (2, 3)


@pytest.mark.parametrize("way", ["lost", "half"])
def test_write_without_a_whole_answer_is_unclear_and_not_sent_again(cluster, hand, way):
    cluster.deploy("web", 1)
    seen = hand.look()
    cluster.fail(way, WRITE)
    assert hand.scale(3, seen).kind == "unclear"
    assert (count(cluster), len(writes(cluster))) == (3, 1)
    assert hand.look().counts.desired == 3


def test_write_that_was_reset_is_unclear_and_not_sent_again(cluster, hand):
    cluster.deploy("web", 1)
    seen = hand.look()
    cluster.fail("reset", WRITE)
    assert hand.scale(3, seen).kind == "unclear"
    assert (count(cluster), len(writes(cluster))) == (1, 1)


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (400, "BadRequest", "refused"),
        (403, "Forbidden", "refused"),
        (404, "NotFound", "refused"),
        (405, "MethodNotAllowed", "refused"),
        (406, "NotAcceptable", "refused"),
        (410, "Gone", "refused"),
        (413, "RequestEntityTooLarge", "refused"),
        (415, "UnsupportedMediaType", "refused"),
        (422, "Invalid", "refused"),
        (429, "TooManyRequests", "refused"),
        (500, "InternalError", "unclear"),
        (500, "ServerTimeout", "unclear"),
        (503, "ServiceUnavailable", "unclear"),
        (504, "Timeout", "unclear"),
    ],
)
def test_every_refusal_is_told_with_its_words_and_nothing_is_sent_twice(cluster, hand, code, reason, kind):
    cluster.deploy("web", 1)
    seen = hand.look()
    cluster.fail(failure(code, reason, f"made up {reason}"), WRITE)
    verdict = hand.scale(3, seen)
    assert (verdict.kind, f"made up {reason}" in verdict.sentence, "\n" in verdict.sentence) == (kind, True, False)
    assert (count(cluster), len(writes(cluster))) == (1, 1)


def test_answer_that_cannot_be_read_is_unclear(cluster, hand):
    cluster.deploy("web", 1)
    seen = hand.look()
    cluster.fail("half", WRITE)
    assert hand.scale(2, seen).kind == "unclear"


def test_cluster_that_asks_to_wait_is_left_alone(cluster, hand):
    cluster.deploy("web", 1)
    seen = hand.look()
    cluster.fail(BUSY, WRITE)
    assert "429 Too Many Requests: too many requests, please try again later" in hand.scale(3, seen).sentence
    cluster.asked.clear()
    assert "asks to wait 1 s" in hand.scale(3, seen).sentence
    assert cluster.asked == []


def test_missing_right_is_named_with_the_fix(cluster, hand):
    allow(cluster, "get deployments")
    cluster.deploy("web", 1)
    verdict = hand.scale(2)
    assert verdict.kind == "refused"
    assert verdict.sentence.startswith("no right to patch deployments/scale in namespace shop: ")
    assert 'User "system:serviceaccount:shop:autoscaler" cannot patch resource "deployments/scale"' in verdict.sentence
    assert verdict.sentence.endswith("; add it to the role of the autoscaler's account")


def test_rule_of_the_cluster_is_not_taken_for_a_missing_right(cluster, hand):
    cluster.deploy("web", 1)
    seen = hand.look()
    said = 'admission webhook "policy.example.com" denied the request: at most 2 replicas'
    cluster.fail(failure(403, "Forbidden", said), WRITE)
    sentence = hand.scale(3, seen).sentence
    assert (said in sentence, "no right" in sentence) == (True, False)


def test_count_that_the_cluster_changed_is_told(cluster, hand):
    cluster.deploy("web", 1)
    seen = hand.look()
    cluster.fail(cluster.answer_of_scale("web", 2), WRITE)
    verdict = hand.scale(5, seen)
    assert (verdict.kind, "set to 2 in place of 5" in verdict.sentence) == ("refused", True)


# Which go first


def test_idlest_are_marked_and_go_first(cluster, hand):
    cluster.deploy("web", 4)
    seen = hand.look()
    busy, idle, idler, busiest = names(cluster)
    assert hand.scale(2, seen, **{busy: 0.7, idle: 0.2, idler: 0.0, busiest: 0.9}) == DONE
    assert names(cluster) == [busy, busiest]
    assert costs(cluster) == {busy: None, busiest: None}


def test_as_many_are_marked_as_will_go(cluster, hand):
    cluster.deploy("web", 3)
    seen = hand.look()
    hand.scale(2, seen, **dict(zip(names(cluster), (0.5, 0.1, 0.3), strict=True)))
    assert len([each for each in cluster.asked if each.path.startswith("/api/v1/namespaces/shop/pods/")]) == 1


def test_those_that_are_not_ready_go_anyway_and_need_no_mark(cluster, hand):
    cluster.deploy("web", 2)
    hand.look()
    cluster.start = 60.0
    cluster.set_count("web", 3)
    seen = hand.look()
    assert seen.counts == Counts(desired=3, running=2, starting=1)
    hand.scale(2, seen, **dict.fromkeys((each.name for each in seen.processes if each.state == "running"), 0.5))
    assert set(costs(cluster).values()) == {None}


def test_those_that_do_not_exist_yet_need_no_mark(cluster, hand):
    cluster.deploy("web", 3)
    hand.look()
    cluster.is_frozen = True
    cluster.set_count("web", 6)
    seen = hand.look()
    first = seen.processes[0].name
    hand.scale(2, seen, **{each.name: 0.9 for each in seen.processes} | {first: 0.1})
    assert [name for name, cost in costs(cluster).items() if cost] == [first]


def test_without_loads_nothing_is_marked(cluster, hand):
    cluster.deploy("web", 3)
    hand.scale(1, hand.look())
    assert set(costs(cluster).values()) == {None}


def test_mark_of_a_scale_in_that_did_not_happen_is_taken_away_by_the_next(cluster, hand):
    cluster.deploy("web", 3)
    first, second, third = names(cluster)
    seen = hand.look()
    cluster.fail(failure(422, "Invalid", "not now"), WRITE)
    hand.scale(2, seen, **{first: 0.0, second: 0.5, third: 0.9})
    assert costs(cluster) == {first: OURS, second: None, third: None}
    hand.scale(2, hand.look(), **{first: 0.9, second: 0.0, third: 0.8})
    assert costs(cluster) == {first: None, third: None}


def test_cost_that_somebody_else_gave_is_left(cluster, hand):
    cluster.deploy("web", 2)
    first, second = names(cluster)
    cluster.pods("web")[0]["metadata"]["annotations"] = {COST: "100"}
    hand.scale(1, hand.look(), **{first: 0.0, second: 0.9})
    assert costs(cluster) == {first: "100"}


def test_mark_that_fails_keeps_no_scale_in_from_happening_and_is_told(cluster, hand):
    cluster.deploy("web", 2)
    seen = hand.look()
    cluster.fail(failure(500, "InternalError", "made up"), "PATCH /api/v1/namespaces/shop/pods")
    assert hand.scale(1, seen, **dict.fromkeys(names(cluster), 0.5)) == DONE
    (note,) = hand.look().notes
    assert note.startswith("web: the idlest processes could not be made to go first: ")
    hand.wait(301)
    assert hand.look().notes == ()


def test_right_to_mark_that_was_taken_away_is_noticed(cluster, hand):
    cluster.deploy("web", 3)
    seen = hand.look()
    allow(cluster, *SCALER, "list pods")
    assert hand.scale(2, seen, **dict.fromkeys(names(cluster), 0.5)) == DONE
    seen = hand.look()
    assert not seen.chooses_idlest
    assert seen.notes[0].endswith("give the autoscaler's account patch on pods in namespace shop")


def test_pod_that_has_gone_meanwhile_needs_no_mark(cluster, hand):
    cluster.deploy("web", 2)
    seen = hand.look()
    cluster.fail(failure(404, "NotFound", 'pods "x" not found'), "PATCH /api/v1/namespaces/shop/pods")
    assert hand.scale(1, seen, **dict.fromkeys(names(cluster), 0.5)) == DONE
    assert hand.look().notes == ()


def test_whether_pods_may_be_changed_is_asked_every_five_minutes(cluster, hand):
    cluster.deploy("web", 1)
    assert hand.look().chooses_idlest
    allow(cluster, *(FULL - {"patch pods"}))
    assert hand.look().chooses_idlest
    hand.wait(301)
    assert not hand.look().chooses_idlest


def test_during_a_rollout_nobody_chooses(cluster, hand):
    cluster.deploy("web", 2)
    cluster.pods("web")
    cluster.is_frozen = True
    cluster.pods("web")[0]["metadata"]["ownerReferences"][0]["uid"] = "another-release"
    assert not hand.look().chooses_idlest


# Proof of rights


def test_check_tries_the_right_and_changes_nothing(cluster, hold):
    cluster.deploy("web", 2)
    cluster.pods("web")
    before = copy.deepcopy(cluster.workload("web"))
    hand = hold(proves_rights=True)
    assert hand.look().obstacle is None
    (trial,) = writes(cluster)
    assert trial.query["dryRun"] == "All"
    assert cluster.workload("web") == before
    hand.look()
    assert len(writes(cluster)) == 1


def test_check_names_the_right_that_lacks(cluster, hold):
    cluster.deploy("web", 2)
    allow(cluster, "get deployments")
    obstacle = hold(proves_rights=True).look().obstacle
    assert obstacle.startswith("no right to patch deployments/scale in namespace shop: ")
    assert obstacle.endswith("; add it to the role of the autoscaler's account")


def test_controller_itself_tries_nothing(cluster, hand):
    cluster.deploy("web", 2)
    hand.look()
    assert writes(cluster) == []
