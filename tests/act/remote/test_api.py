"""Calls of an API keep to their deadline, know what may have been done, and leave a busy server alone."""

import json
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from autoscaler.act.remote.api import Api, Call, Server, quoted, said_by
from autoscaler.http_client import Answer, HttpError, UnclearError
from autoscaler.parallel import Job, side_by_side
from tests.http_servers import Handler, dripping, page, pages, raw, serving, silent

WRITE = Call(method="PATCH", path="/scale", body={"count": 3})
READ = Call(method="GET", path="/scale")
_LONG_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n"


def _ask(handler: Handler, call: Call = WRITE, seconds: float = 5.0) -> Answer:
    with serving(handler) as url:
        api = Api(Server(url=url, timeout_seconds=seconds), lambda: {"Authorization": "Bearer hidden"})
        try:
            return api.ask(call)
        finally:
            api.close()


@pytest.mark.parametrize("status", ["200 OK", "409 Conflict", "500 Internal Server Error"])
def test_any_status_is_an_answer(status):
    answer = _ask(page('{"message": "said"}', status=status, headers="X-Next: 7\r\n"))
    assert (answer.status, answer.json(), answer.headers["x-next"]) == (int(status[:3]), {"message": "said"}, "7")


@pytest.mark.parametrize(
    "handler", [silent, dripping(b""), dripping(_LONG_HEAD), raw(b""), raw(_LONG_HEAD + b"{"), raw(b"nonsense\r\n\r\n")],
    ids=["silent", "drips", "drips its body", "resets", "half an answer", "nonsense"],
)  # fmt: skip
def test_a_write_without_a_whole_answer_may_have_been_done(handler):
    with pytest.raises(UnclearError) as caught:
        _ask(handler, WRITE, 0.3)
    assert "hidden" not in str(caught.value)
    with pytest.raises(HttpError) as caught:
        _ask(handler, READ, 0.3)
    assert not isinstance(caught.value, UnclearError)


def test_a_write_that_reached_nobody_was_surely_not_done(free_port):
    with pytest.raises(HttpError, match="connection refused") as caught:
        Api(Server(url=f"http://127.0.0.1:{free_port}"), dict).ask(WRITE)
    assert not isinstance(caught.value, UnclearError)


def test_a_write_is_sent_once():
    asked: list[str] = []

    def note(connection: socket.socket, target: str, headers: dict[str, str]) -> None:
        asked.append(target)
        raw(b"")(connection, target, headers)

    with pytest.raises(UnclearError):
        _ask(note)
    assert [each for each in asked if each.startswith("/")] == ["/scale"]  # the body comes as another line


def test_a_whole_call_ends_at_its_deadline():
    began = time.monotonic()
    with pytest.raises(UnclearError, match=r"no answer within 0\.3 s"):
        _ask(dripping(_LONG_HEAD), WRITE, 0.3)
    assert time.monotonic() - began < 5


def test_credentials_are_asked_for_at_every_call():
    seen: list[str] = []
    tokens = iter(["first", "second"])

    def note(connection: socket.socket, target: str, headers: dict[str, str]) -> None:
        seen.append(headers["authorization"])
        page("{}")(connection, target, headers)

    with serving(note) as url:
        api = Api(Server(url=url), lambda: {"Authorization": f"Bearer {next(tokens)}"})
        api.ask(READ)
        api.ask(READ)
        api.close()
    assert seen == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        ("429 Too Many Requests", "Retry-After: 30\r\n", "asks to wait 30 s (429 Too Many Requests)"),
        ("503 Service Unavailable", "Retry-After: 120\r\n", "asks to wait 120 s (503 Service Unavailable)"),
        ("429 Too Many Requests", "", "asks to wait 5 s (429 Too Many Requests)"),
        ("429 Too Many Requests", "Retry-After: soon\r\n", "asks to wait 5 s (429 Too Many Requests)"),
        ("429 Too Many Requests", "Retry-After: 99999999\r\n", "asks to wait 3600 s (429 Too Many Requests)"),
    ],
)
def test_a_server_that_wants_to_be_left_alone_is(status, headers, said):
    with serving(page("{}", status=status, headers=headers)) as url:
        api = Api(Server(url=url), dict)
        assert api.ask(READ).status == int(status[:3])
        for _ in range(2):
            with pytest.raises(HttpError) as caught:
                api.ask(WRITE)
            assert said in str(caught.value)
        assert api.calls == 1
        api.close()


def test_calls_side_by_side_make_one_pause():
    meeting = threading.Barrier(4)

    def together(connection: socket.socket, target: str, headers: dict[str, str]) -> None:
        meeting.wait(20)
        page("{}", status="429 Too Many Requests")(connection, target, headers)

    with serving(together) as url:
        api = Api(Server(url=url), dict)
        side_by_side([lambda: api.ask(READ)] * 4)
        with pytest.raises(HttpError, match="asks to wait 5 s"):
            api.ask(READ)
        api.close()


def test_a_date_that_is_none_is_no_wish():
    with serving(page("{}", status="503 Service Unavailable", headers=f"Retry-After: Thu, 26 Nov 2026 14:05:45 +{10**20}\r\n")) as url:
        api = Api(Server(url=url), dict)
        assert [api.ask(READ).status for _ in range(2)] == [503, 503]
        api.close()


def test_closing_ends_a_call_that_still_connects(monkeypatch):
    """A name that takes long to resolve: nothing is sent after the end."""
    lines: list[str] = []
    resolve, resolving, gate = socket.getaddrinfo, threading.Event(), threading.Event()

    def slowly(*arguments: object, **options: object) -> object:
        resolving.set()
        gate.wait(20)
        return resolve(*arguments, **options)

    def note(connection: socket.socket, target: str, headers: dict[str, str]) -> None:
        lines.append(target)
        page("{}")(connection, target, headers)

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    with serving(note) as url:
        api = Api(Server(url=url), dict)
        job = Job(lambda: api.ask(WRITE), "write")
        resolving.wait(20)
        api.close()
        gate.set()
        assert job.wait(20)
        with pytest.raises(HttpError, match="is closed") as caught:
            job.answer()
    assert (type(caught.value), lines) == (HttpError, [])


def test_a_wish_may_be_a_date_by_the_servers_own_clock():
    wrong = time.time() - 100_000  # noqa: TID251 - a server whose clock is wrong
    headers = f"Date: {formatdate(wrong, usegmt=True)}\r\nRetry-After: {formatdate(wrong + 40, usegmt=True)}\r\n"
    with serving(page("{}", status="503 Service Unavailable", headers=headers)) as url:
        api = Api(Server(url=url), dict)
        api.ask(READ)
        with pytest.raises(HttpError, match="asks to wait 40 s"):
            api.ask(READ)
        api.close()


def test_a_server_is_asked_again_when_its_time_has_come():
    with serving(pages(page("{}", status="429 Too Many Requests", headers="Retry-After: 0\r\n"), "{}")) as url:
        api = Api(Server(url=url), dict)
        assert [api.ask(READ).status for _ in range(2)] == [429, 200]
        api.close()


class _OverSocket(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while line := self.rfile.readline():
            length = 0
            while (header := self.rfile.readline().strip()) != b"":
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            body = json.dumps({"line": line.decode().strip(), "body": self.rfile.read(length).decode()}).encode()
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


@pytest.fixture
def unix_socket(tmp_path: Path) -> Iterator[str]:
    path = str(tmp_path / "api.sock")
    with socketserver.ThreadingUnixStreamServer(path, _OverSocket) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield path
        server.shutdown()
        thread.join()


def test_an_api_may_be_a_unix_socket(unix_socket):
    api = Api(Server(url=f"unix://{unix_socket}"), dict)
    for _ in range(2):
        assert api.ask(WRITE).json() == {"line": "PATCH /scale HTTP/1.1", "body": '{"count": 3}'}
    api.close()


def test_a_socket_that_is_not_there_is_named(tmp_path):
    with pytest.raises(HttpError, match=r"gone\.sock cannot be reached: No such file or directory"):
        Api(Server(url=f"unix://{tmp_path}/gone.sock"), dict).ask(READ)


@pytest.mark.parametrize("url", ["", "example.com", "ftp://example.com", "http://", "unix://relative", "http://a b"])
def test_an_address_that_cannot_be_asked_is_refused(url):
    with pytest.raises(ValueError, match="not "):
        Server(url=url)


@pytest.mark.parametrize(
    ("url", "is_private"),
    [
        ("https://api.example.com", True),
        ("http://api.example.com", False),
        ("http://127.0.0.1:4646", True),
        ("http://[::1]:4646", True),
        ("http://localhost", True),
        ("unix:///run/docker.sock", True),
    ],
)
def test_only_tls_sockets_and_loopback_are_private(url, is_private):
    assert Server(url=url).is_private is is_private


def test_a_missing_file_for_tls_is_named(tmp_path):
    api = Api(Server(url="https://127.0.0.1:1", ca=f"{tmp_path}/none.pem"), dict)
    with pytest.raises(HttpError, match=r"none\.pem does not exist"):
        api.ask(READ)


def test_a_name_in_a_path_is_encoded():
    assert quoted("a/b c?") == "a%2Fb%20c%3F"


def test_words_of_a_server_are_one_line():
    assert said_by(Answer("host", 422), " not\n so ") == "host answered 422 Unprocessable Entity: not so"
