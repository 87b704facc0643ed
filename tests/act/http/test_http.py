"""Describe APIs of every kind, and refuse descriptions that cannot be."""

from threading import Event

import pytest

from autoscaler.act.backend import BackendError
from autoscaler.act.http import Http
from autoscaler.act.http.keys import Exchange, Processes, Read, Write
from autoscaler.model import Change, Counts, ProcessType
from tests.platform_api import Platform, Reply, serving

_TYPES = tuple(ProcessType(name=name, minimum=0, maximum=20) for name in ("web", "job"))
_READ = {"path": "/{type}", "desired": "/size"}
_WRITE = {"path": "/{type}", "body": {"size": "{count}"}}


@pytest.fixture
def connect(pages):
    """Return how to connect to the pages of the test."""
    made = []

    def connect(read=_READ, write=_WRITE, types=_TYPES, processes=None, **keys):
        plugin = Http(url=pages.url, read=Read(**read), write=Write(**write), processes=processes and Processes(**processes), **keys)
        made.append(plugin.connect(types, None))
        return made[-1]

    yield connect
    for backend in made:
        backend.close(Event())


def _see(backend, name="web"):
    formation = backend.observe()
    return formation.types.get(name) or formation.errors[name]


def _scale(backend, **targets):
    return [each.error for each in backend.scale(tuple(Change(name, 0, target, "busy") for name, target in targets.items()))]


def test_an_api_that_does_not_tell_what_runs_is_taken_at_its_word(connect, pages):
    pages.pages = {"web": {"size": 3}, "job": {"size": 0}}
    seen = _see(connect())
    assert seen.counts == Counts(desired=3, running=3)
    assert seen.unready.endswith("was not asked which processes of web are ready; give read.running, or processes")


def test_one_page_may_tell_of_all_types(connect, pages):
    pages.pages = {"all": {"web": {"size": 3, "up": 1}, "back/end": {"size": 2, "up": 4}}}
    read = {"path": "/all", "desired": "/{type}/size", "running": "/{type}/up"}
    backend = connect(read, names={"job": "back/end"})
    assert _see(backend).counts == Counts(desired=3, running=1, starting=2)
    assert _see(backend, "job").counts == Counts(desired=2, running=2, draining=2)
    assert len(pages.requests) == 2


def test_a_list_of_types_may_be_the_whole_page(connect, pages):
    pages.pages = {"all": [{"id": "job", "size": 1}, {"id": "web", "size": 3}]}
    backend = connect({"path": "/all", "items": "", "name": "/id", "desired": "/size"})
    assert _see(backend).counts == Counts(desired=3, running=3)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ([{"id": "job", "size": 1}, {"id": 7, "size": 1}], "does not tell of web: it lists 'job', '7'; correct names"),
        ([], "does not tell of web: it lists nothing; correct names"),
        ([{"size": 1}], "does not tell of web: no key 'id' at the top"),
        ({"id": "web"}, "does not tell of web: found an object at the top, not a list"),
    ],
)
def test_a_type_that_a_list_does_not_have_is_named(connect, pages, page, said):
    pages.pages = {"all": page}
    assert said in _see(connect({"path": "/all", "items": "", "name": "/id", "desired": "/size"}, types=_TYPES[:1]))


def test_names_are_encoded_in_paths(connect, pages):
    pages.pages = {"shop%2Fweb%3F": {"size": 1}}
    assert _see(connect(names={"web": "shop/web?"})).counts.desired == 1


def test_a_number_may_go_into_the_path(connect, pages):
    pages.pages = {"web": {"size": 1}, "job": {"size": 1}}
    backend = connect(write={"method": "POST", "path": "/{type}?replicas={count}&was={previous}"})
    _see(backend)
    assert _scale(backend, web=2) == [None]
    assert (pages.writes()[0].path, pages.writes()[0].body) == ("/web?replicas=2&was=1", None)


def test_a_version_may_be_a_part_of_the_page_and_of_the_body(connect, pages):
    pages.pages = {"web": {"size": 1, "meta": {"revision": 17}}, "job": {"size": 1, "meta": {"revision": True}}}
    body = {"size": "{count}", "revision": "{version}", "note": "{reason}: {previous} to {count} of {type}", "keep": [None, 1.5, True]}
    backend = connect({**_READ, "version": "/meta/revision"}, {**_WRITE, "body": body})
    assert _see(backend, "job").endswith("does not tell of job: found true at /meta/revision, not a version")
    assert _scale(backend, web=2) == [None]
    assert pages.writes()[0].body == {"size": 2, "revision": 17, "note": "busy: 1 to 2 of web", "keep": [None, 1.5, True]}


def test_a_reason_in_a_header_is_one_line_of_letters_that_a_header_takes(connect, pages):
    pages.pages = {"web": {"size": 1}, "job": {"size": 1}}
    backend = connect(write={**_WRITE, "headers": {"X-Reason": "{reason}"}})
    _see(backend)
    (outcome,) = backend.scale((Change("web", 1, 2, "caf\u00e9 \u2265 3\r\nX-Evil: 1"),))
    assert outcome.error is None
    assert (pages.writes()[0].headers["x-reason"], "x-evil" in pages.writes()[0].headers) == ("caf\u00e9 ? 3  X-Evil: 1", False)


class _Versioned(Platform):
    """Lists all types, each with its version, and takes a change of several if every version is right."""

    def __init__(self):
        super().__init__("web", "job")
        self.versions = {"web": 1, "job": 1}
        self.before = []

    def answer(self, request):
        if request.method == "GET":
            return Reply(body=[{"name": name, "size": each.wanted, "version": self.versions[name]} for name, each in self.formations.items()])
        if self.before:
            self.before.pop()()
        if any(self.versions[each["name"]] != each["version"] for each in request.body):
            return Reply(409, {"message": "stale"})
        self.accept({each["name"]: each["size"] for each in request.body})
        return Reply(204)


def test_a_conflict_of_one_type_does_not_stop_the_others():
    with serving(_Versioned()) as platform:
        read = Read(path="/", items="", desired="/size", version="/version")
        each = {"name": "{type}", "size": "{count}", "version": "{version}"}
        backend = Http(url=platform.url, read=read, write=Write(path="/", body="{each}", each=each)).connect(_TYPES, None)
        _see(backend)

        def meddle():
            platform.change(web=7)
            platform.versions = {"web": 2, "job": 2}

        platform.before = [meddle]
        assert _scale(backend, web=2, job=3) == ["somebody else set it from 0 to 7 meanwhile; decided again at the next tick", None]
        assert platform.changes == [{"job": 3}]
        backend.close(Event())


def test_a_list_of_processes_is_counted_by_state(connect, pages):
    listed = [{"kind": "web", "is": "up"}, {"kind": "web", "is": "down"}, {"kind": "cron", "is": "up"}, {"kind": "web", "is": "bad"}]
    pages.pages = {"web": {"size": 3}, "job": {"size": 0}, "ps": listed}
    states = {"up": "running", "down": "gone", "bad": "failed"}
    seen = _see(connect(processes={"path": "/ps", "type": "/kind", "state": "/is", "states": states}))
    assert seen.counts == Counts(desired=3, running=1, starting=1, failed=1)
    assert [each.name for each in seen.processes] == ["web.1", "web.4"]


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ({"items": []}, "does not tell of the processes of web: found an object at the top, not a list"),
        ([{"state": None, "n": 1}], "does not tell of the processes of web: found null at /state, not a state"),
        ([{"state": "up", "n": "1"}], "does not tell of the processes of web: found the text '1' at /n, not a number of processes"),
        (Reply(404, {}), "404 Not Found, asked to read /ps/web; correct the path, or names"),
    ],
)
def test_a_list_of_processes_that_cannot_be_read_holds_the_type(connect, pages, page, said):
    pages.pages = {"web": {"size": 3}, "ps/web": page}
    backend = connect(processes={"path": "/ps/{type}", "number": "/n", "states": {"up": "running"}}, types=_TYPES[:1])
    assert said in _see(backend)


def test_a_token_file_is_read_for_every_call(connect, pages, tmp_path):
    pages.pages = {"web": {"size": 1}}
    (tmp_path / "token").write_text("first\n")
    backend = connect(token_file=str(tmp_path / "token"), types=_TYPES[:1])
    _see(backend)
    (tmp_path / "token").write_text("second\n")
    _see(backend)
    assert [each.headers["authorization"] for each in pages.requests] == ["Bearer first", "Bearer second"]
    (tmp_path / "token").unlink()
    assert _see(backend) == f"token_file {tmp_path}/token cannot be read: No such file or directory; write the token into it, for this user alone"
    assert len(pages.requests) == 2


@pytest.mark.parametrize(("content", "said"), [(None, "cannot be read: No such file"), ("two words", "holds no token"), ("", "holds no token")])
def test_a_token_file_without_a_token_is_told_at_the_start(connect, tmp_path, content, said):
    if content is not None:
        (tmp_path / "token").write_text(content)
    with pytest.raises(BackendError) as raised:
        connect(token_file=str(tmp_path / "token"))
    assert str(raised.value).startswith(f"token_file {tmp_path}/token {said}")
    assert content != "two words" or content not in str(raised.value)


def test_basic_authentication_and_headers_are_sent(connect, pages):
    pages.pages = {"web": {"size": 1}}
    _see(connect(user="me", password="secret", headers={"X-Region": "eu"}, types=_TYPES[:1]))  # noqa: S106 - a made-up one
    assert pages.requests[0].headers["authorization"] == "Basic bWU6c2VjcmV0"
    assert pages.requests[0].headers["x-region"] == "eu"


@pytest.mark.parametrize("page", [Reply(200, {"token": 7}), Reply(200, {"access": "x"}), Reply(200, {"token": "two words"}), Reply(200, b"<html>")])
def test_an_exchange_without_a_token_is_told(connect, pages, page):
    pages.pages = {"web": {"size": 1}, "login": page}
    exchange = Exchange(url=f"{pages.url}/login", password="lasting")  # noqa: S106 - a made-up one
    assert _see(connect(exchange=exchange, types=_TYPES[:1])).startswith("exchange gave no token: ")


def test_an_exchange_that_does_not_answer_is_no_change_that_may_have_been_done(connect, pages):
    pages.pages = {"web": {"size": 1}, "login": {"token": "t"}}
    exchange = Exchange(url=f"{pages.url}/login", password="lasting", every_seconds=0.0)  # noqa: S106 - a made-up one
    backend = connect(exchange=exchange, types=_TYPES[:1])
    _see(backend)
    pages.pages["login"] = Reply(500, {})
    (error,) = _scale(backend, web=2)
    assert error.startswith("exchange gave no token: ")
    assert backend.observe().happenings == ()


def test_nothing_secret_is_shown_of_a_plug_in():
    plugin = Http(
        url="https://api.example.com",
        read=Read(**_READ),
        write=Write(**_WRITE, headers={"X-Key": "hidden-1"}),
        headers={"X-Api-Key": "hidden-2"},
        exchange=Exchange(url="https://login.example.com", password="hidden-3"),  # noqa: S106 - a made-up one
    )
    assert "hidden" not in repr(plugin)


_GOOD = {"url": "https://api.example.com", "read": Read(**_READ), "write": Write(**_WRITE)}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"url": "api.example.com"}, "url is not an http or https URL with a host"),
        ({"url": "http://api.example.com", "token": "t"}, "url is not https, so everybody on the way could read the credentials; write https://"),
        ({"url": "http://api.example.com", "headers": {"X-Api-Key": "t"}}, "url is not https"),
        ({"exchange": Exchange(url="http://login.example.com", password="p")}, "exchange.url is not https"),  # noqa: S106 - a made-up one
        ({"token": "t", "token_file": "/t"}, "token and token_file exclude each other; give one of them"),
        ({"token": "two words"}, "token is empty or holds a space"),
        ({"user": "me"}, "user and password belong together"),
        ({"key": "/key.pem"}, "key is the key of a certificate; add certificate"),
        ({"error": "message"}, "error 'message' is no JSON pointer"),
        ({"read": Read(**_READ, version="ETag")}, 'read.version and "{version}" in write belong together; give both or none'),
        ({"write": Write(**_WRITE, headers={"If-Match": "{version}"})}, 'read.version and "{version}" in write belong together'),
        (
            {"read": Read(**_READ, running="/up"), "processes": Processes(path="/{type}", states={"up": "running"})},
            "processes tells which of them run; remove running, starting, draining and failed from read",
        ),
    ],
)
def test_keys_that_cannot_be_are_refused(keys, said):
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the text is compared
        Http(**{**_GOOD, **keys})
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("part", "keys", "said"),
    [
        (Read, {**_READ, "path": "apps"}, "read.path 'apps' is no path; write what follows the url, such as /apps/shop"),
        (Read, {**_READ, "path": "/{app}"}, "read.path has {app}, and what can stand there is {type}"),
        (Read, {**_READ, "desired": "size"}, "read.desired 'size' is no JSON pointer"),
        (Read, {**_READ, "desired": "/{count}"}, "read has {count}, and what can stand there is {type}"),
        (Processes, {"path": "/ps", "states": {"up": "running"}}, "processes needs {type} in its path, or type"),
        (Processes, {"path": "/{type}", "type": "/type", "states": {"up": "running"}}, "processes needs {type} in its path, or type"),
        (Processes, {"path": "/{type}", "states": {"up": "starting"}}, "processes.states names no state that is running; add it"),
        (Write, {"path": "/{type}"}, 'write says no number; put "{count}" into its body or path'),
        (Write, {"path": "/{type}", "body": {"size": "{counts}"}}, "write.body has {counts}, and what can stand there is {type}, {count}"),
        (Write, {"path": "/{type}", "body": {1: "{count}"}}, "write.body has the name 1, which is no text; write it in quotes"),
        (Write, {"path": "/{type}", "body": {"size": float("inf")}}, "write.body holds inf, which is no JSON"),
        (Write, {"path": "/", "body": {"a": "{type}"}, "each": {"n": "{count}"}}, "write.body has {type}, and what can stand there is {each}"),
        (Write, {"path": "/", "body": {"a": 1}, "each": {"n": "{count}"}}, 'write.each is for the place "{each}" in write.body; add it'),
        (Exchange, {"url": "https://x", "password": "p", "token": "t"}, "exchange.token 't' is no JSON pointer"),
    ],
)
def test_parts_that_cannot_be_are_refused(part, keys, said):
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the text is compared
        part(**keys)
    assert said in str(raised.value)


def test_types_that_an_api_cannot_tell_apart_are_mistakes():
    plugin = Http(url="https://api.example.com", read=Read(path="/", desired="/size"), write=Write(path="/", body="{count}"))
    assert [name for name, _ in plugin.mistakes(_TYPES)] == ["job", "job"]
    assert plugin.mistakes(_TYPES[:1]) == ()
    (mistake,) = Http(**_GOOD, names={"web": "x", "job": "x"}).mistakes(_TYPES)
    assert mistake[1].startswith("is x there, and so is web")


def test_a_command_of_the_formation_is_a_mistake():
    with pytest.raises(BackendError, match=r"formation.web: command is not for an HTTP API"):
        Http(**_GOOD).connect((ProcessType(name="web", minimum=0, maximum=1, command="serve"),), None)


def test_a_reload_keeps_the_connection_of_an_equal_configuration():
    backend = Http(**_GOOD).connect(_TYPES, None)
    assert Http(**_GOOD).connect(_TYPES, backend) is backend
    backend.close(Event())
