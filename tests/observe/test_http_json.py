from collections.abc import Callable

import pytest

from autoscaler.http_client import host_of
from autoscaler.model import Reading
from autoscaler.observe.http_json import HttpJsonSource
from tests.http_servers import Handler, page, serving

_HIDDEN = "hidden"
_DOCUMENT = '{"queues": [{"name": "mail", "depth": 12.5, "at": 4990, "seen": "1970-01-01T01:23:10Z"}], "a/b": 2, "m~n": 3, "": 4}'


def _source(url: str, pointer: str = "/queues/0/depth", **fields: str) -> HttpJsonSource:
    return HttpJsonSource(url=url, pointer=pointer, **fields)


@pytest.fixture
def said(cause: Callable[..., str]) -> Callable[..., str]:
    """Return why a source has no reading when its server answers like this; HOST stands for the server."""

    def why(handler: Handler | str, pointer: str = "/queues/0/depth", **fields: str) -> str:
        with serving(page(handler) if isinstance(handler, str) else handler) as url:
            return cause(_source(url, pointer, **fields)).replace(host_of(url), "HOST")

    return why


@pytest.mark.parametrize(("pointer", "value"), [("/queues/0/depth", 12.5), ("/a~1b", 2.0), ("/m~0n", 3.0), ("/", 4.0)])
def test_the_number_at_the_pointer_is_the_reading(poll, pointer, value):
    with serving(page(_DOCUMENT)) as url:
        assert _source(url, pointer).read(poll()) == Reading("jobs", value, 1000.0)


def test_an_empty_pointer_reads_the_whole_document(poll):
    with serving(page(" 7 ")) as url:
        assert _source(url, "").read(poll()).value == 7.0


@pytest.mark.parametrize("timestamp", ["/queues/0/at", "/queues/0/seen"])
def test_a_timestamp_gives_the_age(poll, timestamp):
    with serving(page(_DOCUMENT)) as url:
        assert _source(url, timestamp=timestamp).read(poll()).at == 990.0


@pytest.mark.parametrize(
    ("document", "cause_said"),
    [
        ('{"depth": null}', "found null at /depth, not a number"),
        ('{"depth": true}', "found true at /depth, not a number"),
        ('{"depth": false}', "found false at /depth, not a number"),
        ('{"depth": "5"}', "found the text '5' at /depth, not a number"),
        ('{"depth": {}}', "found an object at /depth, not a number"),
        ('{"depth": [5]}', "found a list at /depth, not a number"),
        ('{"depth": NaN}', "the value is nan"),
        ('{"depth": -1e999}', "the value is -inf"),
        ('{"depth": 1' + "0" * 400 + "}", "the number at /depth is too large"),
        ('{"depht": 5}', "no key 'depth' at the top"),
        ("[5]", "no item 'depth' at the top, a list of 1"),
        ("5", "nothing lies below the top, which is the number '5'"),
        ("<html>", "HOST answered with HTML, not JSON"),
        ("", "HOST answered with an empty page, not JSON"),
    ],
)
def test_a_document_without_the_number_is_no_data(said, document, cause_said):
    assert said(document, "/depth") == cause_said


@pytest.mark.parametrize(
    ("pointer", "cause_said"),
    [
        ("/queues/1/depth", "no item '1' at /queues, a list of 1"),
        ("/queues/00/depth", "no item '00' at /queues, a list of 1"),
        ("/queues/-/depth", "no item '-' at /queues, a list of 1"),
        ("/queues/0/name/x", "nothing lies below /queues/0/name, which is the text 'mail'"),
        ("/queues", "found a list at /queues, not a number"),
        ("", "found an object at the top, not a number"),
    ],
)
def test_a_pointer_that_leads_nowhere_says_where_it_ends(said, pointer, cause_said):
    assert said(_DOCUMENT, pointer) == cause_said


@pytest.mark.parametrize(
    ("time", "cause_said"),
    [
        ("4990000", "the time at /at lies in the future; it must be in seconds since the epoch"),
        ("1e999", "the time at /at lies in the future; it must be in seconds since the epoch"),
        ("NaN", "the time at /at lies in the future; it must be in seconds since the epoch"),
        ('"yesterday"', "found 'yesterday' at /at, not a time such as 2026-11-22T08:00:00Z"),
        ('"2026-11-22T08:00:00"', "the time '2026-11-22T08:00:00' at /at has no time zone; end it with Z or an offset"),
        ("null", "found null at /at, not a number"),
    ],
)
def test_a_time_that_is_none_is_no_data(said, time, cause_said):
    assert said(f'{{"depth": 5, "at": {time}}}', "/depth", timestamp="/at") == cause_said


def test_a_failure_of_the_server_is_no_data(said):
    assert said(page('{"depth": 5}', status="500 Oops"), "/depth") == "HOST answered 500 Internal Server Error"


def test_the_login_is_sent(poll):
    seen: list[str | None] = []

    def remember(connection, target, headers):
        seen.append(headers.get("authorization"))
        page("1")(connection, target, headers)

    with serving(remember) as url:
        _source(url, "", token=_HIDDEN).read(poll())
    assert seen == [f"Bearer {_HIDDEN}"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"url": "ftp://host"}, "url is not an http or https URL"),
        ({"pointer": "depth"}, "pointer 'depth' is no JSON pointer"),
        ({"pointer": "/a~2"}, "pointer '/a~2' is no JSON pointer"),
        ({"timestamp": "at"}, "timestamp 'at' is no JSON pointer"),
        ({"password": "hidden"}, "user and password belong together"),
    ],
)
def test_a_source_that_cannot_work_is_refused(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        HttpJsonSource(**{"url": "http://h", "pointer": "/a", **fields})


def test_secrets_are_not_shown():
    assert _HIDDEN not in repr(_source("http://h", token=_HIDDEN)) + repr(_source("http://h", user="me", password=_HIDDEN))
