"""Hold the backend against a made-up Nomad that fails in every documented way, and in those of networks."""

import subprocess

import pytest

from autoscaler.act.nomad import Nomad
from autoscaler.model import Counts
from tests.api_stub import HTML, Reply
from tests.nomad_api import TOKEN, nomad_stub
from tests.remote_formation import remote

_CUT = "closed the connection"
_DISABLED = "Job registration, dispatch, and scale are disabled by the scheduler configuration"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(401, "Unauthorized"), "needs the capability read-job-scaling for job shop, or namespace policy = scale"),
        (Reply(403, "Permission denied"), "needs the capability read-job-scaling for job shop, or namespace policy = scale"),
        (Reply(403, "ACL token not found"), "Nomad does not know the token"),
        (Reply(403, "ACL token expired"), "make a new one"),
        (Reply(404, "job not found"), "answered 404 Not Found: job not found; there is no job shop"),
        (Reply(404, b""), "is it the address of a Nomad agent?"),
        (Reply(400, "Client sent an HTTP request to an HTTPS server."), "write https:// in url"),
        (Reply(500, "No path to region"), "check region"),
        (Reply(500, "No cluster leader"), "answered 500 Internal Server Error: No cluster leader"),
        (Reply(502, HTML), "answered 502 Bad Gateway"),
        (Reply(307, b"", {"Location": "/ui/"}), "307 Temporary Redirect, a redirect to /ui/; redirects are not followed"),
        (Reply(200, HTML), "answered with HTML, not JSON"),
        (Reply(200, b""), "answered with an empty page, not JSON"),
        (Reply(200, b'{"TaskGroups": {"web"'), "a body that is not JSON"),
        (Reply(200, {"TaskGroups": {"web": {}}}), "is not a scale status: JobModifyIndex: Field required"),
        (Reply(200, [1]), "is not a scale status: "),
        (Reply(200, None), "is not a scale status: "),
    ],
)
def test_a_look_that_fails_says_why_and_what_mends_it(shop, nomad, reply, words):
    nomad.fail(reply, on="/scale")
    assert words in shop.error()
    assert shop.see().counts == Counts(desired=0)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(500, "rpc error"), "answered 500 Internal Server Error: rpc error"),
        (Reply(200, HTML), "answered with HTML, not JSON"),
        (Reply(200, [{"ID": 5}]), "is not a list of allocations: 0/ID: "),
        (Reply(200, {}), "is not a list of allocations: "),
    ],
)
def test_a_look_at_allocations_that_fails_says_why(shop, nomad, reply, words):
    nomad.fail(reply, on="/allocations")
    assert words in shop.error()
    assert shop.see().counts == Counts(desired=0)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(403, "Permission denied"), "needs the capability scale-job for job shop, or namespace policy = scale"),
        (Reply(403, _DISABLED), "an operator has closed the cluster for changes"),
        (Reply(404, 'job "shop" not found'), "there is no job shop"),
        (Reply(400, 'cannot scale jobs of type "system"'), "only service and batch jobs can be scaled"),
        (Reply(400, "scaling action count can't be negative"), "answered 400 Bad Request: scaling action count can't be negative"),
        (Reply(405, "Invalid method"), "answered 405 Method Not Allowed: Invalid method"),
        (Reply(500, "job total count was greater than configured job_max_count: 9 > 5"), "lower formation.web.maximum, or raise job_max_count"),
    ],
)
def test_a_change_that_is_refused_says_why_and_what_mends_it(shop, nomad, reply, words):
    shop.observe()
    nomad.fail(reply, on="POST")
    assert words in shop.scale(web=2)["web"]
    assert shop.see().counts.desired == 0
    assert shop.happenings == []
    assert shop.scale(web=2) == {"web": None}


@pytest.mark.parametrize(
    ("target", "words"), [(1, "allows at least 2, and 1 were asked for; change min there, or formation.web.minimum"), (9, "at most 5")]
)
def test_a_count_beyond_the_scaling_block_is_refused_with_its_bounds(shop, nomad, job, target, words):
    nomad.set(job, "web", 3)
    job.groups["web"].minimum, job.groups["web"].maximum = 2, 5
    assert words in shop.scale(web=target)["web"]


def test_a_total_beyond_job_max_count_is_refused(shop, nomad):
    nomad.most = 10
    assert "raise job_max_count of the servers" in shop.scale(web=11)["web"]


def test_a_deployment_lets_the_next_change_wait_without_an_error(shop, nomad, job):
    job.has_update = True
    nomad.health_seconds = 0.2
    assert shop.scale(web=2) == {"web": None}
    shop.observe()
    assert shop.scale(web=3) == {"web": None}
    assert shop.see().notes == ("the change to 3 waits: job shop has an active deployment, which Nomad lets finish first",)
    shop.wait(running=2)
    shop.eventually(lambda: shop.scale(web=3) == {"web": None} and shop.see().counts.desired == 3)
    assert shop.wait(running=3).notes == ()


def test_a_busy_agent_is_left_alone_as_long_as_it_asks_for(shop, nomad):
    shop.observe()
    nomad.fail(Reply(429, "Too Many Requests", {"Retry-After": "3600"}), on="POST")
    assert shop.scale(web=2) == {"web": None}
    calls = len(nomad.asked)
    assert "asks to wait" in shop.error()
    assert "asks to wait" in shop.scale(web=2)["web"]
    assert len(nomad.asked) == calls


# Whether it was done


@pytest.mark.parametrize("way", ["lost", "half"])
def test_a_change_without_a_whole_answer_is_looked_up_and_not_repeated(shop, nomad, way):
    shop.observe()
    nomad.fail(way, on="POST")
    assert _CUT in shop.scale(web=2)["web"]
    assert shop.see().counts.desired == 2
    assert shop.happenings == ["web: the change to 2 had been done: 2 are desired"]
    assert shop.scale(web=2) == {"web": None}
    assert len(nomad.writes()) == 1
    assert shop.scale(web=3) == {"web": None}


def test_a_change_that_was_cut_off_before_it_was_done_is_decided_again(shop, nomad):
    shop.observe()
    nomad.fail("reset", on="POST")
    assert _CUT in shop.scale(web=2)["web"]
    assert shop.see().counts.desired == 0
    assert shop.happenings == ["web: the change to 2 was not done: 0 are desired"]
    assert shop.scale(web=2) == {"web": None}


def test_a_change_that_has_no_answer_in_time_is_looked_up(shop, nomad):
    shop.set(timeout_seconds=0.3).observe()
    nomad.fail("late", on="POST")
    assert "no answer within 0.3 s" in shop.scale(web=2)["web"]
    assert shop.see().counts.desired == 2


@pytest.mark.parametrize("reply", [Reply(500, "rpc error: EOF"), Reply(502, HTML), Reply(504, HTML), Reply(200, HTML), Reply(200, {"EvalID": "x"})])
def test_an_answer_that_does_not_tell_leaves_open_whether_a_change_was_done(shop, nomad, reply):
    shop.observe()
    nomad.fail(reply, on="POST")
    assert shop.scale(web=2)["web"]
    assert shop.see().counts.desired == 0
    assert shop.happenings == ["web: the change to 2 was not done: 0 are desired"]


def test_after_a_failure_the_other_groups_of_a_job_are_not_told(shop, nomad):
    shop.observe()
    nomad.fail("reset", on="POST")
    errors = shop.scale(web=2, job=2)
    assert _CUT in errors["web"]
    assert errors["job"].startswith("nothing was sent: ")
    assert len(nomad.writes()) == 1


# Somebody else's changes


def test_the_index_that_nomad_shows_is_not_the_one_it_holds_a_change_against(shop, nomad, job):
    nomad.touch(job)
    shown, own = job.modify_index, job.job_modify_index
    assert shop.scale(web=2) == {"web": None}
    assert [each["JobModifyIndex"] for each in nomad.writes()] == [shown, own] != [own, own]
    nomad.touch(job)
    shop.observe()
    assert shop.scale(web=3) == {"web": None}
    assert len(nomad.writes()) == 3


def test_a_change_by_somebody_else_in_between_is_not_overwritten(shop, nomad, job):
    shop.observe()
    nomad.before_write = lambda: nomad.set(job, "web", 4) if job.groups["web"].count == 0 else None
    assert shop.scale(web=2) == {"web": "somebody else set it from 0 to 4 meanwhile; decided again at the next tick"}
    assert shop.see().counts.desired == 4
    assert shop.scale(web=2) == {"web": None}
    assert job.groups["web"].count == 2


def test_a_change_to_another_group_in_between_does_not_matter(shop, nomad, job):
    shop.observe()
    nomad.before_write = lambda: nomad.set(job, "job", 4) if job.groups["job"].count == 0 else None
    assert shop.scale(web=2) == {"web": None}
    assert (job.groups["web"].count, job.groups["job"].count) == (2, 4)


def test_a_job_that_changes_all_the_time_is_left_to_the_next_tick(shop, nomad, job):
    shop.observe()
    nomad.before_write = lambda: nomad.set(job, "job", job.groups["job"].count + 1)
    assert "changed again and again meanwhile" in shop.scale(web=2)["web"]
    assert job.groups["web"].count == 0
    assert len(nomad.writes()) == 3


def test_a_group_that_was_removed_in_between_is_told(shop, nomad, job):
    shop.observe()

    def remove() -> None:
        if len(job.groups) == 2:
            nomad.set(job, "job", 1)
            job.groups["other"] = job.groups.pop("job")

    nomad.before_write = remove
    assert 'task group "job" specified for scaling does not exist in job; check group and names' in shop.scale(job=2)["job"]


def test_a_server_before_1_8_3_does_not_notice_and_the_last_one_wins(shop, nomad, job):
    nomad.checks_index = False
    shop.observe()
    nomad.before_write = lambda: nomad.set(job, "web", 4)
    assert shop.scale(web=2) == {"web": None}
    assert shop.see().counts.desired == 2


# What is not there


def test_a_group_that_is_not_there_is_an_error_of_its_own(shop):
    shop.connect("web", "ghost")
    assert shop.error("ghost") == "job shop has no task group ghost; it has job, web: check group and names"
    assert shop.see().counts == Counts(desired=0)


def test_a_job_that_is_not_there_is_an_error_of_its_own(shop, nomad):
    nomad.add("shop-web", {"web": 1})
    shop.set(job="shop-{type}", namespace=None).wait(running=1)
    assert "there is no job shop-job" in shop.error("job")


def test_a_job_of_another_namespace_is_not_there(shop):
    assert "there is no job shop in namespace prod" in shop.set(namespace="prod").error()


def test_a_system_job_is_named(shop, nomad, job):
    job.type = "system"
    nomad.set(job, "web", 1)
    assert "is of type system, which runs one of each on every node" in shop.error()


def test_a_wrong_token_is_named_and_not_shown(shop, nomad):
    nomad.rights = {TOKEN: frozenset({"read-job", "scale-job"})}
    wrong = TOKEN.replace("5", "6")
    error = shop.set(token=wrong).error()
    assert "Nomad does not know the token" in error
    assert wrong not in error


def test_the_right_to_look_alone_does_not_scale(shop, nomad):
    nomad.rights = {TOKEN: frozenset({"read-job"})}
    assert "needs the capability scale-job for job shop" in shop.set(token=TOKEN).scale(web=1)["web"]


def test_no_token_where_one_is_needed_is_named(shop, nomad):
    nomad.rights = {TOKEN: frozenset({"read-job"})}
    assert "needs the capability read-job-scaling" in shop.error()


# The way there


@pytest.mark.parametrize("way", ["reset", "half"])
def test_a_look_that_is_cut_off_is_an_error_until_the_next_one(shop, nomad, way):
    nomad.fail(way, on="/scale", times=3 if way == "reset" else 1)
    assert _CUT in shop.error()
    assert shop.see().counts == Counts(desired=0)


def test_a_silent_agent_is_an_error_after_the_timeout(shop, nomad):
    nomad.fail("silent", on="/allocations")
    assert "no answer within 0.3 s" in shop.set(timeout_seconds=0.3).error()


def test_a_slow_job_holds_its_own_types_only(shop, nomad):
    nomad.add("shop-web", {"web": 1})
    nomad.add("shop-job", {"job": 1})
    nomad.fail("silent", on="/shop-job/allocations")
    shop.set(job="shop-{type}", timeout_seconds=0.3)
    assert "no answer within 0.3 s" in shop.error("job")
    assert shop.wait(running=1)


def test_no_agent_is_an_error_and_nothing_is_sent(shop, free_port):
    shop.set(url=f"http://127.0.0.1:{free_port}")
    assert "connection refused" in shop.error()
    assert "connection refused" in shop.scale(web=2)["web"]


def test_an_agent_without_tls_is_named(shop, nomad):
    assert "TLS with" in shop.set(url=nomad.url.replace("http:", "https:")).error()


@pytest.fixture
def certificate(tmp_path):
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


def test_the_agent_is_checked_by_its_authority(certificate, eventually):
    with nomad_stub(certificate=certificate) as stub, remote(Nomad(url=stub.url, job="shop"), eventually) as shop:
        stub.add("shop", {"web": 0, "job": 0})
        assert "self-signed certificate" in shop.error()
        assert "self-signed certificate" in shop.scale(web=1)["web"]
        assert stub.asked == []
        assert shop.set(ca=str(certificate[0])).connect().scale(web=1) == {"web": None}
