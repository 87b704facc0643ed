"""Say in words why a server gave no answer."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from autoscaler.http_client.answer import HttpError


class NoConnectionError(HttpError):
    """The server took no request, so that asking again does no harm."""


def failed(host: str, error: Exception) -> HttpError:
    """Say in words why no answer began."""
    causes = tuple(_causes(error))
    for kind, words in _FAILURES:
        if any(isinstance(cause, kind) for cause in causes):
            return NoConnectionError(words.format(host=host))
    said = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), type(error).__name__)
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return HttpError(f"TLS with {host} failed: {getattr(cause, 'verify_message', None) or cause.reason or said}")
        if isinstance(cause, socket.gaierror):
            return HttpError(f"no host named {urlsplit(f'//{host}').hostname} was found: {said}")
        if isinstance(cause, http.client.HTTPException):
            return HttpError(f"{host} does not speak HTTP")
        if isinstance(cause, ValueError):
            return HttpError(f"{host} is not a host that can be asked")
    return HttpError(f"{host} cannot be reached: {said}")


_FAILURES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (ConnectionRefusedError, "connection refused by {host}"),
    ((http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError), "{host} closed the connection without an answer"),
)


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
