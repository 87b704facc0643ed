"""Hold the backend against a made-up Nomad that works."""

import math
import threading
from threading import Event

import pytest

from autoscaler import __version__
from autoscaler.act.backend import BackendError
from autoscaler.act.nomad import Nomad
from autoscaler.model import Counts, ProcessType
from tests.api_stub import Reply
from tests.nomad_api import TOKEN
from tests.remote_formation import types

_SCALE = frozenset({"scale-job", "read-job-scaling"})


def test_a_job_is_seen_by_two_calls(shop, nomad, job):
    nomad.set(job, "web", 2)
    assert shop.wait(desired=2, running=2).notes == ()
    assert nomad.lines()[:2] == ["GET /v1/job/shop/allocations", "GET /v1/job/shop/scale"]
    assert len(set(nomad.lines())) == 2


def test_a_change_says_who_wants_it_and_why(shop, nomad, job):
    shop.observe()
    seen = job.modify_index
    assert shop.scale("95 waiting / 20 each -> 5", web=5) == {"web": None}
    assert nomad.writes() == [
        {
            "Count": 5,
            "Target": {"Job": "shop", "Group": "web"},
            "Message": "95 waiting / 20 each -> 5",
            "Meta": {"formation-autoscaler": __version__, "process_type": "web", "from": 0, "to": 5},
            "JobModifyIndex": seen,
        }
    ]
    assert job.groups["web"].events[0]["Message"] == "95 waiting / 20 each -> 5"
    shop.wait(desired=5, running=5)


def test_a_long_reason_is_cut(shop, nomad):
    shop.scale("x" * 9000, web=1)
    assert nomad.writes()[0]["Message"] == "x" * 500


def test_groups_of_one_job_are_changed_one_after_the_other(shop, nomad, job):
    assert shop.scale(web=2, job=1) == {"web": None, "job": None}
    first, second = nomad.writes()
    assert second["JobModifyIndex"] > first["JobModifyIndex"]
    shop.wait(running=2)
    assert shop.wait("job", running=1).counts.desired == job.groups["job"].count == 1


def test_a_count_that_is_already_told_is_not_told_again(shop, nomad, job):
    nomad.set(job, "web", 2)
    shop.observe()
    assert shop.scale(web=2) == {"web": None}
    assert nomad.writes() == []


def test_a_job_of_each_type_is_found_by_its_name(shop, nomad):
    nomad.add("shop-web", {"main": 1})
    nomad.add("shop-job", {"main": 3})
    shop.set(job="shop-{type}", group="main")
    shop.wait(running=1)
    assert shop.wait("job", running=3).counts.desired == 3


def test_a_type_may_have_another_name_there(shop, nomad, job):
    nomad.set(job, "job", 2)
    shop.set(names={"web": "job"}).connect("web")
    assert [each.name for each in shop.wait(running=2).processes] == ["web.1", "web.0"]


def test_namespace_and_region_are_in_every_call(shop, nomad):
    nomad.add("shop", {"web": 1, "job": 0}, namespace="prod")
    shop.set(namespace="prod", region="eu").wait(running=1)
    shop.scale(web=2)
    assert {(each.query["namespace"], each.query["region"]) for each in nomad.asked} == {("prod", "eu")}


def test_a_name_with_a_slash_is_one_segment_of_the_path(shop, nomad):
    nomad.add("team/shop 1", {"web": 1})
    shop.set(job="team/shop 1").connect("web").wait(running=1)
    assert "GET /v1/job/team%2Fshop%201/scale" in nomad.lines()


# States


def test_an_allocation_starts_until_it_is_healthy(shop, nomad):
    nomad.health_seconds = math.inf
    shop.scale(web=2)
    shop.eventually(lambda: all(each.client == "running" for each in nomad.allocations()))
    assert shop.see().counts == Counts(desired=2, starting=2)
    for each in nomad.allocations():
        each.healthy = True
    seen = shop.see()
    assert seen.counts == Counts(desired=2, running=2)
    assert {(each.name, each.host) for each in seen.processes} == {("web.0", "node-0"), ("web.1", "node-1")}


def test_what_was_healthy_stays_ready_when_nomad_forgets_it(shop, nomad, job):
    job.has_update = True
    shop.scale(web=2)
    shop.wait(running=2)
    nomad.health_seconds = math.inf
    shop.scale(web=3)
    shop.eventually(lambda: [each.client for each in nomad.allocations()] == ["running"] * 3)
    assert [each.healthy for each in nomad.allocations()] == [None] * 3
    assert shop.see().counts == Counts(desired=3, running=2, starting=1)


def test_what_has_run_for_long_is_ready_though_nobody_watches_its_health(shop, nomad, job):
    nomad.health_seconds = math.inf
    nomad.set(job, "web", 1)
    shop.wait(starting=1)
    shop.eventually(lambda: nomad.allocations()[0].started)
    nomad.allocations()[0].started -= 400
    assert shop.see().counts == Counts(desired=1, running=1)


def test_an_allocation_of_a_batch_job_has_no_health(shop, job):
    job.type = "batch"
    shop.scale(web=2)
    assert shop.wait(running=2).counts == Counts(desired=2, running=2)


def test_work_that_a_batch_job_has_done_does_not_start(shop, nomad, job):
    job.type = "batch"
    shop.scale(web=2)
    shop.wait(running=2)
    nomad.allocations()[0].client = "complete"
    assert shop.see().counts == Counts(desired=2, running=1)


def test_what_is_scaled_in_drains(shop, nomad):
    nomad.drain_seconds = math.inf
    shop.scale(web=3)
    shop.wait(running=3)
    shop.scale(web=1)
    assert shop.see().counts == Counts(desired=1, running=1, draining=2)


def test_what_drains_and_what_took_its_number_have_two_names(shop, nomad):
    nomad.drain_seconds = math.inf
    shop.scale(web=1)
    shop.wait(running=1)
    shop.scale(web=0)
    shop.observe()
    shop.scale(web=1)
    seen = shop.wait(running=1, draining=1)
    (running,) = [each.name for each in seen.processes if each.state == "running"]
    (draining,) = [each.name for each in seen.processes if each.state == "draining"]
    assert running == "web.0"
    assert draining == f"web.0-{nomad.allocations()[0].id[:8]}"


def test_what_has_no_place_yet_is_starting(shop, nomad):
    nomad.room = 2
    shop.scale(web=4)
    seen = shop.wait(running=2)
    assert seen.counts == Counts(desired=4, running=2, starting=2)
    assert sorted(each.name for each in seen.processes) == ["web.0", "web.1", "web.2", "web.3"]


def test_a_canary_does_not_count(shop, nomad, job):
    shop.scale(web=1)
    shop.wait(running=1)
    nomad.start(job, "web", 0, canary=True)
    assert shop.see().counts == Counts(desired=1, running=1)


def test_a_lost_client_makes_its_processes_unknown(shop, nomad):
    shop.scale(web=2)
    shop.wait(running=2)
    nomad.allocations()[0].client = "unknown"
    assert shop.see().counts == Counts(desired=2, running=1, unknown=1)


def test_a_failed_allocation_counts_until_another_takes_its_place(shop, nomad, job):
    shop.scale(web=2)
    shop.wait(running=2)
    failed = nomad.allocations()[0]
    failed.client = "failed"
    assert shop.see().counts == Counts(desired=2, running=1, failed=1)
    failed.next = nomad.start(job, "web", failed.number).id
    assert shop.wait(running=2).counts == Counts(desired=2, running=2)


def test_tasks_that_end_soon_after_each_start_are_a_crash_loop(shop, nomad):
    shop.scale(web=2)
    shop.wait(running=2)
    for each in nomad.allocations():
        each.client, each.restarts, each.last_restart = "pending", 3, each.started + 1
    seen = shop.see()
    assert (seen.counts, seen.is_crash_looping) == (Counts(desired=2, failed=2), True)


def test_a_task_that_is_restarted_after_a_long_life_starts(shop, nomad):
    shop.scale(web=1)
    shop.wait(running=1)
    (each,) = nomad.allocations()
    each.client, each.restarts, each.last_restart = "pending", 1, each.started + 4000
    assert shop.see().counts == Counts(desired=1, starting=1)


def test_a_task_that_could_never_be_started_crashes(shop, nomad):
    nomad.start_seconds = math.inf
    shop.scale(web=1)
    (each,) = nomad.allocations()
    each.restarts, each.last_restart = 1, 1_700_000_000.0
    assert (shop.see().counts.failed, shop.see().is_crash_looping) == (1, True)


def test_an_unhealthy_allocation_has_failed(shop, nomad):
    shop.scale(web=2)
    shop.wait(running=2)
    nomad.allocations()[0].healthy = False
    assert shop.see().counts == Counts(desired=2, running=1, failed=1)


def test_a_stopped_job_is_an_obstacle_and_nothing_of_it_starts(shop, nomad, job):
    nomad.set(job, "web", 2)
    nomad.stop(job)
    seen = shop.see()
    assert seen.obstacle == "job shop is stopped; start it with `nomad job start shop`"
    assert seen.counts == Counts(desired=2)


def test_somebody_elses_change_is_seen(shop, nomad, job):
    shop.scale(web=2)
    nomad.set(job, "web", 5)
    assert shop.wait(running=5).counts.desired == 5


# Rights


def test_the_scale_policy_alone_is_enough_to_scale(shop, nomad):
    nomad.rights = {TOKEN: _SCALE}
    shop.set(token=TOKEN).scale(web=2)
    seen = shop.wait(desired=2, running=2)
    assert seen.processes == ()
    assert seen.notes == ("job shop is known by counts alone, without health, drains and crashes: the token lacks read-job",)


def test_without_read_job_allocations_are_not_asked_for_again_and_again(shop, nomad):
    nomad.rights = {TOKEN: _SCALE}
    for _ in range(4):
        shop.set(token=TOKEN).see()
    assert nomad.lines().count("GET /v1/job/shop/allocations") == 1


def test_counts_alone_tell_what_starts_and_what_is_unhealthy(shop, nomad, job):
    nomad.rights = {TOKEN: _SCALE}
    nomad.room = 3
    nomad.set(job, "web", 4)
    shop.set(token=TOKEN).wait(running=3)
    first, second, _ = nomad.allocations()
    first.running_at, first.client, second.healthy = math.inf, "pending", False
    assert shop.see().counts == Counts(desired=4, running=1, starting=2, failed=1)


# The configuration


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"job": ""}, "job is empty"),
        ({"job": "shop", "group": "a\nb"}, "group is empty or holds a line break"),
        ({"job": "shop", "url": "nomad:4646"}, "url is not an http or https URL"),
        ({"job": "shop", "url": "unix://nomad.sock"}, "url is not the whole path of a socket"),
        ({"job": "shop", "key": "key.pem"}, "add certificate"),
        ({"job": "shop", "token": "a b"}, "token is empty or holds a space"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(keys, words):
    with pytest.raises(ValueError, match=words):
        Nomad(**keys)


def test_address_and_token_come_from_the_environment(shop, nomad, monkeypatch):
    nomad.rights = {TOKEN: _SCALE | {"read-job"}}
    monkeypatch.setenv("NOMAD_ADDR", nomad.url)
    monkeypatch.setenv("NOMAD_TOKEN", TOKEN)
    assert shop.set(url=None).see().counts == Counts(desired=0)


def test_a_wrong_address_in_the_environment_is_named(monkeypatch):
    monkeypatch.setenv("NOMAD_ADDR", "nomad")
    with pytest.raises(ValueError, match="url, taken from NOMAD_ADDR, is not"):
        Nomad(job="shop")


def test_the_token_file_is_read_again_for_each_call(shop, nomad, tmp_path):
    nomad.rights = {TOKEN: _SCALE | {"read-job"}}
    path = tmp_path / "token"
    path.write_text("old\n")
    assert "ACL token not found" in shop.set(token_file=str(path)).error()
    path.write_text(f"{TOKEN}\n")
    assert shop.see().notes == ()


def test_a_token_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BackendError, match=r"token_file: .*absent cannot be read: No such file"):
        Nomad(job="shop", token_file=str(tmp_path / "absent")).connect(types(), None)


def test_mistakes_name_types_that_are_one_and_the_same_there():
    assert Nomad(job="shop", group="main").mistakes(types())[0][0] == "job"
    assert Nomad(job="shop").mistakes(types()) == ()


def test_mistakes_name_keys_that_mean_nothing_there():
    process_type = ProcessType(name="web", minimum=0, maximum=1, environment={"A": "1"})
    assert "environment is not for Nomad" in Nomad(job="shop").mistakes((process_type,))[0][1]


def test_a_token_on_an_open_road_is_warned_of(monkeypatch):
    away = Nomad(job="shop", url="http://nomad.example:4646")
    assert away.warnings() == ()
    monkeypatch.setenv("NOMAD_TOKEN", TOKEN)
    assert "write https://" in away.warnings()[0]
    assert Nomad(job="shop").warnings() == ()


def test_the_token_is_in_no_text_of_the_backend():
    assert TOKEN not in repr(Nomad(job="shop", token=TOKEN))


# Following


def test_from_the_second_look_on_the_desired_count_is_followed(shop, nomad, job):
    for _ in range(2):
        shop.observe()
    shop.eventually(lambda: _blocked(nomad))
    for _ in range(5):
        shop.observe()
    assert len([each for each in nomad.asked if each.path.endswith("/scale")]) == 2 + len(_blocked(nomad)) == 3
    nomad.set(job, "web", 3)
    shop.wait(desired=3, running=3)


def test_a_change_of_our_own_is_seen_by_the_next_look(shop, nomad):
    for _ in range(3):
        shop.observe()
    shop.eventually(lambda: _blocked(nomad))
    for target in (3, 1, 4):
        assert shop.scale(web=target) == {"web": None}
        assert shop.see().counts.desired == target


def test_a_query_that_fails_makes_the_next_look_ask_directly(shop, nomad, job):
    nomad.fail("reset", on="GET /v1/job/shop/scale", times=0)
    for _ in range(2):
        shop.observe()
    shop.eventually(lambda: _blocked(nomad))
    nomad.forgive()
    nomad.fail("half", on="GET /v1/job/shop/scale")
    nomad.touch(job)
    shop.eventually(lambda: len(_blocked(nomad)) > 1)
    nomad.set(job, "web", 2)
    assert shop.wait(desired=2).counts.desired == 2


def test_an_index_that_went_back_begins_anew(shop, nomad, job):
    for _ in range(2):
        shop.observe()
    shop.eventually(lambda: _blocked(nomad))
    nomad.fail(Reply(200, nomad.status(job), {"X-Nomad-Index": "3"}), on="/scale")
    nomad.touch(job)
    shop.eventually(lambda: "0" in [each.query["index"] for each in _blocked(nomad)])
    nomad.set(job, "web", 2)
    assert shop.wait(desired=2, running=2)


def test_what_is_followed_ends_at_once_when_the_backend_is_closed(nomad, shop):
    others = threading.enumerate()
    for _ in range(2):
        shop.observe()
    shop.eventually(lambda: _blocked(nomad))
    (watch,) = [each for each in threading.enumerate() if each.name == "nomad-watch" and each not in others]
    assert watch.daemon
    shop.backend.close(Event())
    shop.eventually(lambda: not watch.is_alive(), 2.0)
    assert len(_blocked(nomad)) == 1


def test_a_look_that_is_for_a_check_follows_nothing(nomad, shop):
    checking = shop.plugin.observer(types())
    for _ in range(3):
        checking.observe()
    checking.close(Event())
    assert _blocked(nomad) == []


def _blocked(nomad):
    return [each for each in list(nomad.asked) if "index" in each.query]
