"""Ask an HTTP endpoint on behalf of a source, and speak of its failures as causes."""

from __future__ import annotations

from collections.abc import Mapping

from autoscaler.http_client import Answer, HttpError, Login, get, host_of
from autoscaler.observe.source import Poll, SourceError


def require_url(url: str) -> None:
    """Raise ``ValueError`` unless ``url`` can be asked; the URL itself is not shown, since it may hold a password."""
    try:
        host_of(url)
    except ValueError as error:
        raise ValueError(f"url is {error}") from error


def ask(url: str, poll: Poll, login: Login, parameters: Mapping[str, str] | None = None, accept: str = "application/json") -> Answer:
    """Return the answer within the deadline of ``poll``, whatever its status; raise ``SourceError`` when there is none."""
    try:
        return get(url, timeout_seconds=poll.timeout_seconds, login=login, parameters=parameters, accept=accept)
    except HttpError as error:
        raise SourceError(str(error)) from error
