"""Hold the backend against a made-up Heroku that fails in every documented way, and in those of networks."""

import subprocess

import pytest

from autoscaler.act.heroku import Heroku
from autoscaler.model import Counts
from tests.api_stub import HTML, Reply
from tests.heroku_api import APP, TOKEN, HerokuStub, heroku_stub, refusal
from tests.remote_formation import remote

_REFUSALS = [
    (refusal(401, "unauthorized", "Invalid credentials provided."), "heroku authorizations:create --scope write"),
    (refusal(402, "delinquent", "Account is delinquent."), "has to be paid"),
    (refusal(403, "forbidden", "You do not have access to the app example."), "needs the scope write"),
    (refusal(403, "suspended", "Your account is suspended."), "suspended: ask Heroku"),
    (refusal(404, "not_found", "Couldn't find that app."), "Couldn't find that app.; app example has no such thing: check app and names"),
    (refusal(406, "not_acceptable", "Set Accept."), "answered 406 Not Acceptable: Set Accept."),
    (refusal(410, "gone", "Gone for good."), "answered 410 Gone: Gone for good."),
    (refusal(422, "verification_needed", "Please verify your account."), "enter billing information"),
    (Reply(404, HTML), "answered 404 Not Found; is it the Platform API?"),
    (Reply(404, {"Message": None}), "is it the Platform API?"),
]
_CUT = "closed the connection"


@pytest.mark.parametrize(("reply", "words"), _REFUSALS, ids=range(len(_REFUSALS)))
def test_a_look_that_is_refused_says_why_and_what_mends_it(app, heroku, reply, words):
    heroku.fail(reply, on="GET", times=2)
    assert words in app.error()
    assert app.see().counts == Counts(desired=0)


@pytest.mark.parametrize(("reply", "words"), _REFUSALS, ids=range(len(_REFUSALS)))
def test_a_change_that_is_refused_says_why_and_what_mends_it(app, heroku, reply, words):
    heroku.fail(reply, on="PATCH")
    assert words in app.scale(web=2)["web"]
    assert app.scale(web=2) == {"web": None}
    assert app.wait(running=2).counts.desired == 2


@pytest.mark.parametrize("reply", [refusal(409, "conflict", "Another release is under way."), refusal(429, "rate_limit", "Please wait")])
def test_a_change_that_has_to_wait_is_no_error(app, heroku, reply):
    app.observe()
    heroku.fail(reply, on="PATCH")
    assert app.scale(web=2) == {"web": None}
    assert len(heroku.scaled()) == 1


def test_a_conflict_is_told_of_and_tried_again_at_the_next_tick(app, heroku):
    heroku.fail(refusal(409, "conflict", "Another release is under way."), on="PATCH")
    app.scale(web=2)
    assert "the change to 2 waits" in app.see().notes[0]
    app.scale(web=2)
    assert app.wait(running=2).notes == ()


def test_a_busy_api_is_left_alone_as_long_as_it_asks_for(app, heroku):
    app.observe()
    heroku.fail(Reply(429, {"id": "rate_limit", "message": "Please wait"}, {"Retry-After": "3600"}), on="dynos")
    app.observe()
    calls = len(heroku.asked)
    assert "asks to wait" in app.error()
    assert "asks to wait" in app.scale(web=2)["web"]
    assert len(heroku.asked) == calls


def test_an_empty_budget_is_named(app, heroku):
    heroku.remaining = 0
    assert "Your account reached the API rate limit Please wait a few minutes" in app.error()


@pytest.mark.parametrize("way", ["lost", "half"])
def test_a_change_without_a_whole_answer_is_looked_up_and_not_repeated(app, heroku, way):
    app.observe()
    heroku.fail(way, on="PATCH")
    assert _CUT in app.scale(web=2)["web"]
    assert app.wait(running=2).counts.desired == 2
    assert "web: the change to 2 had been done: 2 are desired" in app.happenings
    assert app.scale(web=2) == {"web": None}
    assert len(heroku.scaled()) == 1


def test_a_change_that_was_cut_off_before_it_was_done_is_decided_again(app, heroku):
    app.observe()
    heroku.fail("reset", on="PATCH")
    assert _CUT in app.scale(web=2)["web"]
    assert app.see().counts.desired == 0
    assert "web: the change to 2 was not done: 0 are desired" in app.happenings
    assert app.scale(web=2) == {"web": None}


def test_a_change_that_has_no_answer_in_time_is_looked_up(app, heroku):
    app.set(timeout_seconds=0.3).observe()
    heroku.fail("late", on="PATCH")
    assert "no answer within 0.3 s" in app.scale(web=2)["web"]
    assert app.see().counts.desired == 2


@pytest.mark.parametrize("status", [202, 206])
def test_a_change_that_is_queued_or_answered_in_part_is_accepted(app, heroku, status):
    app.observe()
    heroku.fail(Reply(status, [heroku.entries["web"].document() | {"quantity": 2}]), on="PATCH")
    assert app.scale(web=2) == {"web": None}


def test_a_change_that_is_queued_without_a_word_on_it_is_looked_up(app, heroku):
    app.observe()
    heroku.fail(Reply(202, []), on="PATCH")
    assert "said nothing of web" in app.scale(web=2)["web"]
    assert app.see().counts.desired == 0


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failure_of_the_server_leaves_open_whether_a_change_was_done(app, heroku, status):
    app.observe()
    heroku.fail(Reply(status, HTML), on="PATCH")
    assert f"answered {status}" in app.scale(web=2)["web"]
    assert app.see().counts.desired == 0
    assert any("was not done" in each for each in app.happenings)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(200, HTML), "HTML, not JSON"),
        (Reply(200, b""), "an empty page, not JSON"),
        (Reply(200, b'[{"type": "web", "quan'), "a body that is not JSON"),
        (Reply(200, {"web": 2}), "not a"),
        (Reply(200, [{"type": "web", "quantity": "2", "name": "web.1", "state": 5}]), "0/"),
        (Reply(200, [{"type": "web", "quantity": -1}]), "0/"),
        (
            Reply(302, b"", {"Location": "https://elsewhere.example/"}),
            "302 Found, a redirect to https://elsewhere.example/; redirects are not followed",
        ),
        (Reply(500, refusal(500, "internal", "Oops").body), "answered 500 Internal Server Error: Oops"),
    ],
)
def test_a_look_at_something_else_says_what_it_is(app, heroku, reply, words):
    heroku.fail(reply, on="GET", times=2)
    assert words in app.error()
    assert app.see().counts == Counts(desired=0)


@pytest.mark.parametrize("way", ["reset", "half"])
def test_a_look_that_is_cut_off_is_an_error_until_the_next_one(app, heroku, way):
    heroku.fail(way, on="formation", times=3 if way == "reset" else 1)
    assert _CUT in app.error()
    assert app.see().counts == Counts(desired=0)


def test_a_silent_api_is_an_error_after_the_timeout(app, heroku):
    heroku.fail("silent", on="dynos")
    assert "no answer within 0.3 s" in app.set(timeout_seconds=0.3).error()


def test_an_answer_that_is_no_formation_leaves_open_whether_a_change_was_done(app, heroku):
    heroku.fail(Reply(200, HTML), on="PATCH")
    assert "HTML, not JSON" in app.scale(web=2)["web"]
    assert app.see().counts.desired == 0


def test_an_answer_that_tells_another_count_is_a_refusal(app, heroku):
    heroku.fail(Reply(200, [{"type": "web", "quantity": 1}]), on="PATCH")
    assert "set web to 1 where 2 were asked for" in app.scale(web=2)["web"]


def test_an_answer_that_leaves_a_type_out_leaves_it_open(app, heroku):
    heroku.fail(Reply(200, []), on="PATCH")
    assert "said nothing of web" in app.scale(web=2)["web"]


def test_pages_without_an_end_are_an_error(app, heroku):
    heroku.page = 1
    heroku.set("web", 60)
    assert "answered with more than 50 pages of dynos of app example" in app.set(timeout_seconds=5).error()


# One of several


def test_one_type_beyond_its_limit_does_not_hold_the_others(app, heroku):
    heroku.entries["job"].size = "Basic"
    errors = app.scale(web=3, job=2)
    assert errors["web"] is None
    assert "Cannot update to more than 1 Basic size dynos per process type." in errors["job"]
    path = "PATCH /apps/example/formation"
    assert sorted(heroku.lines("PATCH")) == [path, f"{path}/job", f"{path}/web"]
    assert app.wait(running=3).counts.desired == 3


def test_one_type_that_is_gone_does_not_hold_the_others(app, heroku):
    app.observe()
    del heroku.entries["job"]
    errors = app.scale(web=3, job=2)
    assert errors["web"] is None
    assert "Couldn't find that process type (job)." in errors["job"]


@pytest.mark.parametrize(("way", "words"), [("lost", _CUT), ("reset", _CUT)])
def test_a_single_change_that_is_cut_off_is_looked_up(app, heroku, way, words):
    heroku.entries["job"].size = "Basic"
    app.observe()
    heroku.fail(way, on="PATCH /apps/example/formation/web")
    assert words in app.scale(web=3, job=2)["web"]
    assert app.see().counts.desired == (3 if way == "lost" else 0)


def test_an_app_that_is_gone_is_asked_for_once(app, heroku):
    app.observe()
    heroku.fail(refusal(404, "not_found", "Couldn't find that app."), on="PATCH")
    assert all("Couldn't find that app." in error for error in app.scale(web=3, job=2).values())
    assert len(heroku.lines("PATCH")) == 1


def test_a_type_that_is_not_deployed_is_an_error_of_its_own(app):
    app.connect("web", "ghost")
    assert app.error("ghost") == "app example has no process type ghost; it has job, web, as its Procfile was when it was deployed"
    assert app.see().counts == Counts(desired=0)


def test_an_app_without_a_release_is_named(app, heroku):
    heroku.entries.clear()
    assert "nothing is deployed to it yet" in app.error()


# The way there


def test_a_wrong_token_is_named_and_not_shown(app):
    wrong = f"{TOKEN}-old"
    error = app.set(token=wrong).error()
    assert "Invalid credentials provided." in error
    assert wrong not in error


def test_no_server_is_an_error_and_nothing_is_sent(app, free_port):
    app.set(url=f"http://127.0.0.1:{free_port}")
    assert "connection refused" in app.error()
    assert "connection refused" in app.scale(web=2)["web"]


def test_a_server_without_tls_is_named(app, heroku):
    assert "TLS with" in app.set(url=heroku.url.replace("http:", "https:")).error()


@pytest.fixture
def certificate(tmp_path):
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate, eventually, monkeypatch):
    with heroku_stub(certificate=certificate) as stub, remote(Heroku(app=APP, token=TOKEN, url=stub.url), eventually) as app:
        assert "self-signed certificate" in app.error()
        assert "self-signed certificate" in app.scale(web=1)["web"]
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        assert app.scale(web=1) == {"web": None}
        assert isinstance(stub, HerokuStub)
        assert len(stub.scaled()) == 1
