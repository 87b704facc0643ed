"""Ask HTTP servers with one hard deadline for the whole answer; the only user of requests."""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from autoscaler import __version__
from autoscaler.http_deadline import DeadlinePool, DeadlineTlsPool, seconds_left, set_deadline
from autoscaler.model import AutoscalerError, Json

LARGEST_BODY = 16 * 1024 * 1024  # bytes, after decompression
_CHUNK = 65536
_RETRY_PAUSES = (0.05, 0.2)  # seconds before the second and the third attempt
_HOSTS_KEPT = 128  # hosts to which a thread keeps a connection
_NO_URL = "not an http or https URL with a host, such as http://127.0.0.1:9090"
_FIRST_REDIRECT, _FIRST_FAILURE = 300, 400


class HttpError(AutoscalerError):
    """A server gave no usable answer; the text names the host and what happened, and never a secret."""


class _NoConnectionError(HttpError):
    """The server took no request, so that asking again does no harm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a server asks for before it answers: a bearer token, or a user and a password, or nothing.

    Raises ``ValueError``, without showing the secret, when both are given, when the user is missing, or when the token
    holds anything but printable ASCII characters.
    """

    token: str | None = field(default=None, repr=False)
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be sent."""
        if self.token is not None and self.user is not None:
            raise ValueError("token and user exclude each other; give one of them")
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together; give both or none")
        if self.token is not None and not _is_printable_ascii(self.token):
            raise ValueError("token is empty or holds a space, a line break or another character that no token has")
        if self.user is not None and ":" in self.user:
            raise ValueError("user holds a colon, which basic authentication cannot send")

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header that logs a request in."""
        if self.token is not None:
            request.headers["Authorization"] = f"Bearer {self.token}"
        elif self.user is not None:
            pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            request.headers["Authorization"] = f"Basic {pair}"
        return request


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, whatever its status."""

    host: str
    status: int
    location: str  # where a redirect points to, without credentials and query
    body: bytes = field(repr=False)

    def checked(self) -> Answer:
        """Return this answer; raise ``HttpError`` unless its status says success."""
        if self.status < _FIRST_REDIRECT:
            return self
        if self.status < _FIRST_FAILURE and self.location:
            raise HttpError(f"{self._said()}, a redirect to {self.location}; redirects are not followed, so write that address")
        raise HttpError(self._said())

    def json(self) -> Json:
        """Read the body as JSON; raise ``HttpError`` saying what it is instead."""
        try:
            document: Json = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            content = self.page()
            raise HttpError(f"{self.host} answered with {f'{content}, not' if content else 'a body that is not'} JSON") from error
        return document

    def text(self) -> str:
        """Read the body as UTF-8, with a mark in place of what is not."""
        return self.body.decode("utf-8", "replace")

    def page(self) -> str | None:
        """Name what a wrong address or a proxy's failure often answers with: an empty page or HTML; ``None`` for anything else."""
        start = self.body[:_CHUNK].lstrip().lower()
        if not start:
            return "an empty page"
        return "HTML" if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) else None

    def _said(self) -> str:
        known = {status.value: f" {status.phrase}" for status in HTTPStatus}
        return f"{self.host} answered {self.status}{known.get(self.status, '')}"


def get(
    url: str,
    *,
    timeout_seconds: float,
    login: Login | None = None,
    parameters: Mapping[str, str] | None = None,
    accept: str = "application/json",
) -> Answer:
    """Get a page, body included, within ``timeout_seconds``.

    Redirects are not followed, proxies of the environment are not used, and a body above ``LARGEST_BODY`` is refused. While
    there is time, a server that takes no connection is asked again, twice at most. Certificates are checked against
    ``$SSL_CERT_FILE``, else against the public authorities. Raises ``HttpError``.
    """
    request = requests.Request("GET", url, params=parameters, headers={"Accept": accept}, auth=login)
    deadline = time.monotonic() + timeout_seconds
    for pause in _RETRY_PAUSES:
        try:
            return _ask(request, deadline, timeout_seconds)
        except _NoConnectionError:
            if time.monotonic() + pause >= deadline:
                raise
        time.sleep(pause)
    return _ask(request, deadline, timeout_seconds)


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


def _ask(request: requests.Request, deadline: float, timeout_seconds: float) -> Answer:
    """Send a request once and take in its whole answer."""
    host = _host_for_errors(request.url)
    set_deadline(deadline)
    try:
        response = _send(request)
    except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:
        raise _late(host, timeout_seconds) or _failed(host, error) from error
    with response:
        try:
            body = _body(response, host)
        except (OSError, urllib3.exceptions.HTTPError) as error:
            raise _late(host, timeout_seconds) or HttpError(f"{host} closed the connection in the middle of its answer") from error
    return Answer(host, response.status_code, _without_secrets(response.headers.get("Location", "")), body)


def _send(request: requests.Request) -> requests.Response:
    """Send through the adapter alone: a session would follow redirects and read them whole."""
    session = _thread.session
    prepared = session.prepare_request(request)
    return session.get_adapter(prepared.url or "").send(prepared, stream=True, timeout=seconds_left(), verify=_authorities())


def _body(response: requests.Response, host: str) -> bytes:
    """Read the body in pieces, up to ``LARGEST_BODY``."""
    body = bytearray()
    for piece in response.iter_content(_CHUNK):
        body += piece
        if len(body) > LARGEST_BODY:
            raise HttpError(f"{host} answered with more than {LARGEST_BODY // 1024 // 1024} MiB")
    return bytes(body)


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


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc else parts.path


def _is_printable_ascii(text: str) -> bool:
    return bool(text) and all("!" <= letter <= "~" for letter in text)


def _failed(host: str, error: Exception) -> HttpError:
    """Say in words why no answer began."""
    causes = tuple(_causes(error))
    for kind, words in _FAILURES:
        if any(isinstance(cause, kind) for cause in causes):
            return _NoConnectionError(words.format(host=host))
    said = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), type(error).__name__)
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return HttpError(f"TLS with {host} failed: {getattr(cause, 'verify_message', None) or cause.reason or said}")
        if isinstance(cause, socket.gaierror):
            return HttpError(f"no host named {host} was found: {said}")
        if isinstance(cause, http.client.HTTPException):
            return HttpError(f"{host} does not speak HTTP")
        if isinstance(cause, ValueError):
            return HttpError(f"{host} is not a host that can be asked")
    return HttpError(f"{host} cannot be reached: {said}")


_FAILURES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (ConnectionRefusedError, "connection refused by {host}"),
    ((http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError), "{host} closed the connection without an answer"),
)


def _late(host: str, timeout_seconds: float) -> HttpError | None:
    return None if seconds_left() > 0 else HttpError(f"{host}: no answer within {timeout_seconds:g} s")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk through an exception and all it was raised from; requests and urllib3 wrap several times, each in its own way."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [*cause.args, cause.__cause__, cause.__context__, getattr(cause, "reason", None)]


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: object) -> None:  # noqa: FBT001, FBT002 - as requests has it
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": DeadlinePool, "https": DeadlineTlsPool}


class _Thread(threading.local):
    """What each thread has for itself: a session, since sessions promise no safety between threads."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy, no netrc: a poll goes where its URL says
        self.session.headers["User-Agent"] = f"formation-autoscaler/{__version__}"
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, _Adapter(pool_connections=_HOSTS_KEPT, pool_maxsize=1))


_thread = _Thread()
