"""Listen for requests, with an end to every client that is slow, silent or one too many."""

from __future__ import annotations

import errno
import io
import socket
import socketserver
import ssl
import sys
import time
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler
from threading import Condition, Thread
from typing import Any, cast

from autoscaler.model import Address, AutoscalerError
from autoscaler.serve.access import Access
from autoscaler.serve.message import Request, Response, sentence
from autoscaler.serve.site import Site
from autoscaler.settings import Listen

_SILENCE_SECONDS = 10.0  # between two pieces of a request or of its answer
_REQUEST_SECONDS = 30.0  # for all of it
_MOST_CONNECTIONS = 64
_HEAD_BYTES = 32768
_BODY_BYTES = 65536  # a body is never used, but unread it would reset the connection before the answer is read
_HEADERS = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
_LOOK_SECONDS = 0.2  # how often slow clients are looked for; closing waits at most so long


class ServeError(AutoscalerError):
    """The address of ``listen`` cannot be served; the text names it and the fix."""


class Server:
    """Serves one site on one address, on daemon threads."""

    def __init__(self, listen: Listen, site: Site) -> None:
        """Take what to listen on and what to answer; nothing is opened yet."""
        self._listen = listen
        self._site = site
        self._server: _Listener | None = None

    def start(self) -> Address:
        """Listen, and return the bound address, which tells the port when 0 was asked for; raise ``ServeError``."""
        address = self._listen.address
        context = _context(self._listen)
        try:
            self._server = _Listener(address, self._site, _access(self._listen), context)
        except (OSError, UnicodeError) as error:  # the second for a name that cannot be one in the DNS
            raise ServeError(f"listen: {address} {_cause(error)}") from error
        Thread(target=self._server.serve_forever, args=(_LOOK_SECONDS,), name="serve", daemon=True).start()
        return Address(address.host, self._server.server_address[1])

    def close(self) -> None:
        """Stop listening and cut every client off, within 0.5 s."""
        if self._server:
            self._server.close()
            self._server = None


class _Listener(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """One thread a connection, and a register of the connections that are open."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = _MOST_CONNECTIONS

    def __init__(self, address: Address, site: Site, access: Access, context: ssl.SSLContext | None) -> None:
        self.site = site
        self.access = access
        self._context = context
        self._open: dict[socket.socket, float] = {}  # with the time until which each may last
        self._changed = Condition()
        self.address_family, host = _resolve(address)
        super().__init__((host, address.port), _Handler)

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._cut_off(float("inf"))
        with self._changed:
            self._changed.wait_for(lambda: not self._open, _LOOK_SECONDS)

    def get_request(self) -> tuple[socket.socket, Any]:  # the address of the client has a shape of its own in each family
        connection, client = super().get_request()
        if self._context:
            # The handshake is left to the connection's own thread: a client that is slow at it must not keep others from being accepted.
            connection = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, client

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 - as the standard library calls and types it
        return len(self._open) < _MOST_CONNECTIONS

    def process_request(self, request: Any, client_address: Any) -> None:  # as the standard library types them
        with self._changed:
            self._open[request] = time.monotonic() + _REQUEST_SECONDS
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # as the standard library types it
        super().shutdown_request(request)
        with self._changed:
            self._open.pop(request, None)
            self._changed.notify_all()

    def service_actions(self) -> None:
        self._cut_off(time.monotonic())

    def handle_error(self, request: Any, client_address: Any) -> None:  # as the standard library types them
        # A client that goes away, or is no match for TLS, is its own affair; anything else is a mistake of ours and shows its traceback.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def _cut_off(self, now: float) -> None:
        with self._changed:
            late = [connection for connection, until in self._open.items() if until <= now]
        for connection in late:
            with suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)  # not TLS's own, which another thread may be using


class _Head(io.BufferedReader):
    """Reads a request whose head ends within bounds."""

    _taken = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        is_header = self._taken > 0  # the first line has a bound of its own
        self._taken += len(line)
        if is_header and self._taken > _HEAD_BYTES:
            raise HTTPException(f"more than {_HEAD_BYTES} bytes of headers")
        return line


class _Handler(BaseHTTPRequestHandler):
    """Turns one connection into one request and its response."""

    server: _Listener
    default_request_version = "HTTP/1.0"  # so that a request without a version is answered with a status line, too
    rbufsize = 0
    timeout = _SILENCE_SECONDS

    def setup(self) -> None:
        super().setup()
        self.rfile = _Head(cast("io.RawIOBase", self.rfile))

    def do_GET(self) -> None:
        refusal = self._read_body()
        self._send(refusal or self._answer())

    do_HEAD = do_GET  # noqa: N815 - named by the standard library

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what cannot be parsed, or a method that is not served."""
        if code == HTTPStatus.NOT_IMPLEMENTED:
            self._read_body()
            self._send(sentence(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD are served.", ("Allow", "GET, HEAD")))
        else:
            self._send(sentence(code, f"{message or HTTPStatus(code).phrase}{f': {explain}' if explain else ''}."))

    def version_string(self) -> str:
        return "autoscaler"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the standard library
        """Keep quiet: the log tells what the controller does, not who asked."""

    def _answer(self) -> Response:
        request = self._request()
        return self.server.access.refuse(request) or self.server.site.answer(request)

    def _request(self) -> Request:
        path, _, query = self.path.partition("?")
        return Request(
            path=path,
            query=query,
            host=", ".join(self.headers.get_all("Host", ())),
            authorization=self.headers.get("Authorization", ""),
            accept=self.headers.get("Accept", ""),
            accept_encoding=self.headers.get("Accept-Encoding", ""),
            local_host=self.connection.getsockname()[0],
        )

    def _read_body(self) -> Response | None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal():
            return sentence(HTTPStatus.BAD_REQUEST, "Content-Length is no number.")
        if int(length) > _BODY_BYTES:
            return sentence(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "No body is expected here.")
        self.rfile.read(int(length))
        return None

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in (*response.headers, *_HEADERS):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)


def _resolve(address: Address) -> tuple[socket.AddressFamily, str]:
    family, _, _, _, bound = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return family, str(bound[0])


def _access(listen: Listen) -> Access:
    hosts = frozenset({listen.address.host.lower(), socket.gethostname().lower()})
    return Access(hosts=hosts, token=listen.token, is_encrypted=listen.certificate is not None)


def _context(listen: Listen) -> ssl.SSLContext | None:
    if listen.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(listen.certificate, listen.key, password=lambda: "")  # an encrypted key fails instead of asking on the terminal
    except OSError as error:
        files = f"certificate {listen.certificate} and key {listen.key or listen.certificate}"
        raise ServeError(
            f"listen: {files} cannot be used ({error}); name readable PEM files that belong together, the key without a password"
        ) from error
    return context


def _cause(error: OSError | UnicodeError) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return "is taken by another program; end that one, or choose another port"
    if number == errno.EACCES:
        return "may not be opened by this user; choose a port above 1023"
    return f"cannot be opened ({error}); name an address of this machine and a free port"
