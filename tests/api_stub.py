"""Serve a made-up API on loopback that keeps a list of what breaks its published rules, and that fails in every way an API fails."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, unquote

import jsonschema

HTML = b"<!DOCTYPE html><html><body>Service temporarily unavailable</body></html>"
Way = Literal["reset", "lost", "half", "silent", "late"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in."""

    method: str
    path: str  # percent-encoded
    query: Mapping[str, str]
    headers: Mapping[str, str]  # by lower-case name
    body: bytes

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def segments(self) -> list[str]:
        return [unquote(part) for part in self.path.split("/")[1:]]

    def json(self) -> object:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: bytes as they are, text as text, anything else as JSON."""

    status: int = 200
    body: object = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> tuple[bytes, str]:
        if isinstance(self.body, bytes):
            return self.body, "text/html" if self.body.startswith(b"<") else "application/octet-stream"
        if isinstance(self.body, str):
            return self.body.encode(), "text/plain; charset=utf-8"
        return json.dumps(self.body).encode(), "application/json"


@dataclass(slots=True)
class _Fault:
    """``reset`` and ``silent`` do nothing that was asked; ``lost``, ``half`` and ``late`` do it all."""

    way: Way | Reply
    on: str  # part of "METHOD /path"
    times: int


class ApiStub:
    """The part that all made-up APIs share; a subclass says what is true in ``answer``."""

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        self.asked: list[Asked] = []
        self.broken: list[str] = []  # requests that break the published rules; a test fails over one
        self.lock = threading.Condition(threading.RLock())
        self.is_closed = threading.Event()
        self._faults: list[_Fault] = []
        self._server = _Server(self, certificate)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, asked: Asked) -> Reply:
        """Do what is asked, and say what became of it."""
        raise NotImplementedError

    def fail(self, way: Way | Reply, on: str = "", times: int = 1) -> None:
        """Fail the next requests of which the line holds ``on``."""
        self._faults.append(_Fault(way, on, times))

    def forgive(self) -> None:
        """Fail no more."""
        self._faults.clear()

    def lines(self, method: str = "") -> list[str]:
        """Return what was asked so far."""
        return [each.line for each in list(self.asked) if each.method.startswith(method)]

    def check(self, asked: Asked, schema: Mapping[str, object], query: frozenset[str] = frozenset()) -> None:
        """Hold a body against its schema, and the keys of the query against those that are known."""
        for key in asked.query.keys() - query:
            self.broken.append(f"{asked.line}: no such key in the query: {key}")
        if schema:
            try:
                jsonschema.validate(asked.json(), schema)
            except (ValueError, jsonschema.ValidationError) as error:
                self.broken.append(f"{asked.line}: {error}")
        elif asked.body:
            self.broken.append(f"{asked.line}: has a body")

    def take_fault(self, asked: Asked) -> Way | Reply | None:
        fault = next((each for each in self._faults if each.on in asked.line and each.times), None)
        if fault is None:
            return None
        fault.times -= 1
        return fault.way

    def close(self) -> None:
        """Cut every connection and end."""
        self.is_closed.set()
        with self.lock:
            self.lock.notify_all()
        self._server.shutdown()
        self._server.close_connections()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, stub: ApiStub, certificate: tuple[Path, Path] | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.stub = stub
        self.taken: list[socket.socket] = []
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)

    def close_connections(self) -> None:
        for connection in self.taken:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that leave: they are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.taken.append(self.connection)

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        stub = self.server.stub
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, path, dict(parse_qsl(query, keep_blank_values=True)), headers, body)
        stub.asked.append(asked)
        way = stub.take_fault(asked)
        if isinstance(way, Reply):
            self._send(way)
            return
        if way == "silent":
            stub.is_closed.wait()
        if way in {"reset", "silent"}:
            self._cut()
            return
        reply = stub.answer(asked)
        if way == "late":
            stub.is_closed.wait()
        if way in {"lost", "late"}:
            self._cut()
            return
        self._send(reply, half=way == "half")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - as http.server looks for them

    def _send(self, reply: Reply, *, half: bool = False) -> None:
        content, kind = reply.encoded()
        self.send_response(reply.status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if half else content)
        if half:
            self._cut()

    def _cut(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def closing(stub: ApiStub) -> Iterator[ApiStub]:
    """Close a stub at the end; fail when it was asked for anything that the API does not take."""
    try:
        yield stub
    finally:
        stub.close()
    assert stub.broken == [], "\n".join(stub.broken)


def now() -> float:
    """Return the seconds by which made-up processes move on."""
    return time.monotonic()
