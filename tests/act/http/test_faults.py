"""Meet what can go wrong between the controller and a platform: nothing is done twice, and the first good answer repairs it."""

import json
import time
from dataclasses import replace

import pytest

from autoscaler.model import Counts
from tests.platform_api import Reply, content, half, reset, reset_when_done, silence, slow, status


def _patient_unless(fault):
    """Wait briefly for a platform that never answers, and long enough for any other."""
    return lambda plugin: replace(plugin, timeout_seconds=0.3 if fault is silence else 10.0)


_PAGE = '{"processes": %s, "ready": 0, "starting": 0, "draining": 0, "failed": 0}'


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (status(500), "answered 500 Internal Server Error: out of order, asked to read /formations/web"),
        (status(503), "answered 503 Service Unavailable: out of order, asked to read /formations/web"),
        (status(401), "answered 401 Unauthorized: out of order, asked to read /formations/web; renew headers"),
        (status(302, Location="https://elsewhere.example.com/x?key=1"), "a redirect to https://elsewhere.example.com/x; redirects are not followed"),
        (content("<html>sorry</html>", "text/html"), "answered with HTML, not JSON"),
        (content(""), "answered with an empty page, not JSON"),
        (content('{"processes":'), "answered with a body that is not JSON"),
        (content('{"size": 3}'), "does not tell of web: no key 'processes' at the top"),
        (content("[]"), "does not tell of web: no item 'processes' at the top, a list of 0"),
        (content(_PAGE % '"3"'), "does not tell of web: found the text '3' at /processes, not a number of processes"),
        (content(_PAGE % "true"), "does not tell of web: found true at /processes, not a number of processes"),
        (content(_PAGE % "-1"), "does not tell of web: found the number '-1' at /processes, not a number of processes"),
        (content(_PAGE % "2.0"), "does not tell of web: found the number '2.0' at /processes, not a number of processes"),
        (content(_PAGE % "2"), "does not tell of web: it was sent without the header ETag, its version"),
        (status(200, json.loads(_PAGE % 2), ETag=""), "does not tell of web: it was sent without the header ETag, its version"),
        (half, "closed the connection in the middle of its answer"),
        (reset, "closed the connection without an answer"),
        (silence, "no answer within 0.3 s"),
    ],
)
def test_a_page_that_cannot_be_read_holds_the_type(on_in_house, eventually, fault, said):
    driven = on_in_house(_patient_unless(fault))
    driven.platform.change(web=2)
    driven.platform.faults = [fault] * 60
    found = eventually(lambda: "no answer yet" not in (known := str(driven.see())) and known)
    assert said in found
    assert driven.scale(web=5) == [f"nothing was sent: {found}"]
    assert driven.platform.writes() == []
    driven.platform.faults.clear()
    assert driven.counts() == Counts(desired=2, running=2)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (status(422), "answered 422 Unprocessable Entity: out of order, asked to set web to 3; compare the templates with the API's description"),
        (status(403), "answered 403 Forbidden: out of order, asked to set web to 3; give headers the right to do that"),
        (status(405), "answered 405 Method Not Allowed: out of order, asked to set web to 3; correct write.method or the path"),
        (status(503), "answered 503 Service Unavailable: out of order, asked to set web to 3"),
        (status(301, Location="/elsewhere"), "answered 301 Moved Permanently, a redirect to /elsewhere; redirects are not followed"),
    ],
)
def test_a_refusal_is_told_in_the_words_of_the_platform(on_in_house, fault, said):
    driven = on_in_house()
    driven.see()
    driven.platform.faults = [fault]
    (error,) = driven.scale(web=3)
    assert said in error
    assert (driven.counts().desired, len(driven.platform.writes())) == (0, 1)
    assert driven.scale(web=3) == [None]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (half, "closed the connection in the middle of its answer"),
        (reset_when_done, "closed the connection without an answer"),
    ],
)
def test_a_change_without_an_answer_is_looked_up_and_not_repeated(on_in_house, fault, said):
    driven = on_in_house()
    driven.see()
    driven.platform.faults = [fault]
    (error,) = driven.scale(web=3)
    assert said in error
    assert driven.counts() == Counts(desired=3, running=3)
    assert driven.scale(web=3) == [None]
    assert driven.platform.changes == [{"web": 3}]
    assert driven.told == ["web: the change to 3 had been done: 3 are desired"]


@pytest.mark.parametrize("fault", [status(500), status(502), status(504), reset, silence])
def test_a_change_that_was_lost_is_looked_up_and_made_again(on_in_house, fault):
    driven = on_in_house(_patient_unless(fault))
    driven.see()
    driven.platform.faults = [fault]
    (error,) = driven.scale(web=3)
    assert error
    assert driven.counts().desired == 0
    assert driven.told == ["web: the change to 3 was not done: 0 are desired"]
    assert driven.scale(web=3) == [None]
    assert driven.platform.changes == [{"web": 3}]


def test_a_busy_platform_is_left_alone_for_as_long_as_it_asks(on_in_house):
    driven = on_in_house()
    driven.see()
    driven.platform.faults = [status(429, **{"Retry-After": "30"})]
    assert driven.scale(web=3) == [None]
    asked = len(driven.platform.requests)
    assert "asks to wait 30 s (429 Too Many Requests)" in str(driven.see())
    assert (len(driven.platform.requests), driven.platform.changes) == (asked, [])


def test_a_platform_that_says_not_now_is_waited_for(on_in_house):
    driven = on_in_house()
    driven.see()
    driven.platform.faults = [status(423)]
    assert driven.scale(web=3) == [None]
    (note,) = driven.see().notes
    assert note.startswith("the change to 3 waits: 127.0.0.1:")
    assert driven.scale(web=3) == [None]
    assert driven.see().notes == ()


def test_a_conflict_without_versions_is_waited_for(on_scalingo):
    driven = on_scalingo()
    driven.see()
    driven.platform.faults = [status(409, {"error": "the app is being scaled"})]
    assert driven.scale(web=3) == [None]
    assert "409 Conflict: the app is being scaled, asked to set web to 3" in driven.see().notes[0]


def test_a_page_that_all_types_share_is_told_of_in_one_sentence(on_scalingo):
    driven = on_scalingo()
    driven.platform.faults = [None, status(500, {"error": "on it"}), status(500, {"error": "on it"})]
    formation = driven.backend.observe()
    assert set(formation.errors) == {"web", "worker"}


def test_a_slow_type_does_not_hold_the_others(on_in_house, eventually):
    driven = on_in_house(interval_seconds=1.0)
    eventually(lambda: getattr(driven.see(), "counts", None) == Counts(desired=0))
    driven.platform.faults = [slow(1.5), slow(1.5)]
    began = time.monotonic()
    driven.backend.observe()
    assert time.monotonic() - began < 1.4
    eventually(lambda: getattr(driven.see(), "counts", None) == Counts(desired=0))


def test_a_platform_that_is_away_at_the_start_repairs_itself(on_in_house):
    driven = on_in_house()
    driven.platform.faults = [reset] * 60
    driven.see()
    driven.platform.faults.clear()
    assert driven.counts() == Counts(desired=0)


def test_an_error_in_plain_text_is_told(on_in_house):
    driven = on_in_house(lambda plugin: replace(plugin, error=None))
    driven.platform.faults = [lambda handler: handler.send(_plain(500, "disk\nfull"))] * 2
    assert "500 Internal Server Error: disk full, asked to read" in driven.see()


def _plain(code, text):
    return Reply(code, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})
