"""Send requests over connections that are kept, each with one deadline for the whole answer."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit
from weakref import WeakSet

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool

from autoscaler import __version__
from autoscaler.http_client.answer import Answer, HttpError, UnclearError
from autoscaler.http_client.deadline import DeadlinePool, DeadlineTlsPool, UnixPool, begin, has_sent, seconds_left
from autoscaler.http_client.failures import NoConnectionError, failed

LARGEST_BODY = 16 * 1024 * 1024  # bytes, after decompression
_CHUNK = 65536
_RETRY_PAUSES = (0.05, 0.2)  # seconds before the second and the third attempt
_HOSTS_KEPT = 128  # hosts to which connections are kept
_NO_URL = "not an http or https URL with a host, such as http://127.0.0.1:9090"
_HEADERS = {"User-Agent": f"formation-autoscaler/{__version__}", "Accept": "application/json", "Accept-Encoding": "gzip, deflate"}
_READS = frozenset({"GET", "HEAD"})
_ON_SOCKET = "http://localhost"  # what stands for the host where a Unix socket is the address


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files: authorities to check the server by, and what the client shows of itself."""

    authorities: str | None = None  # None: $SSL_CERT_FILE, else the public ones
    certificate: str | None = None
    key: str | None = None

    def checked(self) -> Tls:
        """Return these files; raise ``HttpError`` when one of them is not there."""
        for path in (self.authorities, self.certificate, self.key):
            if path and not Path(path).exists():
                raise HttpError(f"{path} does not exist; it is needed for TLS")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked, and within which time the whole answer must be there."""

    url: str  # without a host, beginning with /, over a Unix socket
    timeout_seconds: float
    method: str = "GET"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)

    def prepare(self) -> requests.PreparedRequest:
        """Put it into the words of requests; raise ``ValueError`` or ``OSError`` for what cannot be sent."""
        signed = _unchanged if "Authorization" in self.headers else None  # else a login that stands in the URL is sent
        headers = {**_HEADERS, **self.headers}
        return requests.Request(self.method, self.url, params=self.query or None, headers=headers, data=self.body, auth=signed).prepare()


class Connections:
    """Connections to servers, or to one Unix socket; safe from any thread."""

    def __init__(self, *, socket_path: str | None = None, tls: Tls | None = None, kept: int = 1) -> None:
        """Keep at most ``kept`` connections to each host."""
        self._tls = tls or Tls()
        self._socket_path = socket_path
        self._in_use: WeakSet[socket.socket] = WeakSet()
        self._noting = Lock()  # held while sockets in use are added or listed
        self._is_closed = False
        self._adapter = _SocketAdapter(socket_path, kept) if socket_path else _Adapter(pool_connections=_HOSTS_KEPT, pool_maxsize=kept)

    def send(self, request: Request) -> Answer:
        """Send a request and take in its whole answer, body included, within its time.

        Redirects are not followed, proxies of the environment are not used, and a body above ``LARGEST_BODY`` is refused. While
        there is time, a server that takes no connection is asked again, twice at most. Raises ``HttpError``, and its
        ``UnclearError`` where what changes something may have been done.
        """
        deadline = time.monotonic() + request.timeout_seconds
        for pause in _RETRY_PAUSES:
            try:
                return self._ask(request, deadline)
            except NoConnectionError:
                if time.monotonic() + pause >= deadline:
                    raise
            time.sleep(pause)
        return self._ask(request, deadline)

    def close(self) -> None:
        """Close all connections; a request that is under way fails at once, and so does every later one."""
        self._is_closed = True
        self._adapter.close()
        with self._noting:
            sockets = list(self._in_use)
        for each in sockets:
            with suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)  # of TLS too: what is under way is not ended in good form

    def _ask(self, request: Request, deadline: float) -> Answer:
        host = self._socket_path or _host_for_errors(request.url)
        if self._is_closed:
            raise _closed(host)
        begin(deadline, partial(self._use, host))
        try:
            with self._send(request) as response:
                return Answer(host, response.status_code, _location(response), _body(response, host), _headers_of(response))
        except (OSError, ValueError, urllib3.exceptions.HTTPError, HttpError) as error:
            raise _problem(request, host, error) from error

    def _use(self, host: str, connected: socket.socket) -> None:
        """Note a socket before anything is sent; raise ``HttpError`` where everything was closed while it connected."""
        with self._noting:
            if self._is_closed:
                raise _closed(host)
            self._in_use.add(connected)

    def _send(self, request: Request) -> requests.Response:
        """Send through the adapter alone: a session would follow redirects and read them whole."""
        if self._socket_path:
            request = _over_socket(request)
        tls = self._tls.checked()
        pair = (tls.certificate, tls.key) if tls.certificate and tls.key else tls.certificate
        return self._adapter.send(request.prepare(), stream=True, timeout=seconds_left(), verify=tls.authorities or _authorities(), cert=pair)


def host_of(url: str) -> str:
    """Return the host and port of a URL, without user and password; raise ``ValueError`` unless it is one that can be asked."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(_NO_URL) from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or any(letter <= " " for letter in url):
        raise ValueError(_NO_URL)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return host if port is None else f"{host}:{port}"


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _over_socket(request: Request) -> Request:
    return replace(request, url=f"{_ON_SOCKET}{request.url}")


def _closed(host: str) -> HttpError:
    return HttpError(f"the connection to {host} is closed")


def _body(response: requests.Response, host: str) -> bytes:
    """Read the body in pieces, up to ``LARGEST_BODY``."""
    body = bytearray()
    try:
        for piece in response.iter_content(_CHUNK):
            body += piece
            if len(body) > LARGEST_BODY:
                raise HttpError(f"{host} answered with more than {LARGEST_BODY // 1024 // 1024} MiB")
    except (OSError, urllib3.exceptions.HTTPError) as error:
        if not seconds_left():
            raise
        raise HttpError(f"{host} closed the connection in the middle of its answer") from error
    return bytes(body)


def _headers_of(response: requests.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _location(response: requests.Response) -> str:
    """Return where a redirect points to, without credentials and query."""
    url = response.headers.get("Location", "")
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc else parts.path


def _authorities() -> str | bool:
    path = os.environ.get("SSL_CERT_FILE")
    if path and not Path(path).exists():
        raise HttpError(f"the environment's SSL_CERT_FILE names {path}, which does not exist")
    return path or True


def _host_for_errors(url: str) -> str:
    try:
        return host_of(url)
    except ValueError as error:
        raise HttpError(f"the address is {error}") from error


def _problem(request: Request, host: str, error: Exception) -> HttpError:
    """Say what went wrong, and whether what was asked for may have been done."""
    late = None if seconds_left() > 0 else HttpError(f"{host}: no answer within {request.timeout_seconds:g} s")
    problem = error if isinstance(error, HttpError) else late or failed(host, error)
    return UnclearError(str(problem)) if request.method not in _READS and has_sent() else problem


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: object) -> None:  # noqa: FBT001, FBT002 - as requests has it
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": DeadlinePool, "https": DeadlineTlsPool}


class _SocketAdapter(HTTPAdapter):
    """Sends every request to one Unix socket."""

    def __init__(self, path: str, kept: int) -> None:
        self._pool = UnixPool(path, maxsize=kept)
        super().__init__()

    def get_connection_with_tls_context(self, *_: object, **__: object) -> HTTPConnectionPool:
        return self._pool

    def close(self) -> None:
        super().close()
        self._pool.close()
