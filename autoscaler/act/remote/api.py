"""Call the HTTP API of an engine: its address, its credentials, its wish to be left alone for a while."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from threading import Lock
from urllib.parse import quote, urlsplit

from autoscaler.http_client import Answer, Connections, HttpError, Request, Tls, host_of
from autoscaler.model import Json

_ON_SOCKET = "unix://"
_KEPT_CONNECTIONS = 32
_BUSY, _UNAVAILABLE = 429, 503
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 5.0, 60.0  # where a server says that it is busy, and not for how long
_LONGEST_WISH_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where an API is, and how it is reached; raises ``ValueError`` for an address that cannot be asked."""

    url: str  # http(s)://HOST[:PORT][/PREFIX], or unix:///PATH of a socket
    ca: str | None = None  # PEM file with the authorities; None: $SSL_CERT_FILE, else the public ones
    certificate: str | None = None  # PEM files of what the client shows of itself
    key: str | None = None
    timeout_seconds: float = 10.0  # for a whole call, body included

    def __post_init__(self) -> None:
        """Refuse what cannot be asked, without showing it: it may hold a password."""
        if self.socket_path is None:
            host_of(self.url)
        elif not self.socket_path.startswith("/"):
            raise ValueError("not the whole path of a socket, such as unix:///var/run/docker.sock")

    @property
    def socket_path(self) -> str | None:
        """Return the path of the Unix socket, if it is one."""
        return self.url.removeprefix(_ON_SOCKET) if self.url.startswith(_ON_SOCKET) else None

    @property
    def is_private(self) -> bool:
        """Tell whether nobody on the way can read along: TLS, a Unix socket, or loopback."""
        parts = urlsplit(self.url)
        return self.socket_path is not None or parts.scheme == "https" or _is_loopback(parts.hostname or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of an API."""

    method: str
    path: str  # begins with /, percent-encoded
    query: Mapping[str, str] = field(default_factory=dict)
    body: Json | bytes = None  # anything but bytes is sent as JSON; None: nothing
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_seconds: float | None = None  # in place of the server's


class Api:
    """An API as one backend calls it; safe from any thread."""

    def __init__(self, server: Server, headers: Callable[[], Mapping[str, str]]) -> None:
        """Call ``server``; ``headers`` is asked for the credentials of every call, and may raise ``AutoscalerError``."""
        self._server = server
        self._headers = headers
        self._tls = Tls(server.ca, server.certificate, server.key)
        self._connections = Connections(socket_path=server.socket_path, tls=self._tls, kept=_KEPT_CONNECTIONS)
        self._pause = _Pause()
        self._counting = Lock()
        self.calls = 0  # sent so far

    @property
    def host(self) -> str:
        """Name the server in sentences."""
        return self._server.socket_path or host_of(self._server.url)

    def ask(self, call: Call) -> Answer:
        """Return the answer, whatever its status.

        Raises ``HttpError`` when there is none, and ``UnclearError`` when what the call changes may have been done all the same. While the
        server wants to be left alone (Retry-After of a 429 or 503, RFC 9110; a 429 without it for 5 s, doubling to 60 s) nothing is sent.
        """
        self._pause.check(self.host)
        body, kind = _encoded(call.body)
        request = Request(
            url=f"{'' if self._server.socket_path else self._server.url.rstrip('/')}{call.path}",
            timeout_seconds=call.timeout_seconds or self._server.timeout_seconds,
            method=call.method,
            query=call.query,
            headers={**kind, **self._headers(), **call.headers},
            body=body,
        )
        with self._counting:
            self.calls += 1
        answer = self._connections.send(request)
        self._pause.note(answer)
        return answer

    def close(self) -> None:
        """Close the idle connections."""
        self._connections.close()


def quoted(name: str) -> str:
    """Encode a name for one segment of a path."""
    return quote(name, safe="")


def said_by(answer: Answer, message: str | None = None) -> str:
    """Say what a server answered, with its own words where it has some, cut to a line."""
    words = " ".join((message or "").split())[:300]
    return f"{answer.said()}{f': {words}' if words else ''}"


class _Pause:
    """How long a server wants to be left alone; calls under way side by side may all be told so."""

    def __init__(self) -> None:
        self._noting = Lock()
        self._until = -math.inf
        self._in_a_row = 0
        self._said = ""

    def check(self, host: str) -> None:
        """Raise ``HttpError`` while the server is to be left alone."""
        left = self._until - time.monotonic()
        if left > 0:
            raise HttpError(f"{host} asks to wait {math.ceil(left)} s ({self._said})")

    def note(self, answer: Answer) -> None:
        """Take in whether an answer asks for a pause."""
        with self._noting:
            is_pausing = time.monotonic() < self._until
            if answer.status in {_BUSY, _UNAVAILABLE}:
                self._lengthen(answer, is_pausing=is_pausing)
            elif not is_pausing:
                self._in_a_row = 0

    def _lengthen(self, answer: Answer, *, is_pausing: bool) -> None:
        wish = _retry_after(answer.headers.get("retry-after", ""), answer.headers.get("date", ""))
        if wish is None and answer.status == _BUSY and not is_pausing:
            wish = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0**self._in_a_row)
            self._in_a_row = min(self._in_a_row + 1, 10)
        if wish is not None and time.monotonic() + wish > self._until:
            self._said = answer.said().removeprefix(f"{answer.host} answered ")
            self._until = time.monotonic() + wish


def _retry_after(wish: str, date: str) -> float | None:
    """Read Retry-After, seconds or a date; the date counts from the server's own."""
    if wish.strip().isdecimal():
        return min(float(wish), _LONGEST_WISH_SECONDS)
    until, now = _time(wish), _time(date)
    return min(max(0.0, (until - now).total_seconds()), _LONGEST_WISH_SECONDS) if until and now else None


def _time(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _encoded(body: Json | bytes) -> tuple[bytes | None, dict[str, str]]:
    if body is None or isinstance(body, bytes):
        return body, {}
    return json.dumps(body).encode(), {"Content-Type": "application/json"}


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
