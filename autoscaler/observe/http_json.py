"""Read a metric as one number in a JSON document that is served over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from autoscaler.http_client import HttpError, Login
from autoscaler.json_pointer import PointerError, described, find, require_pointer
from autoscaler.model import Help, Json, Reading, Secret
from autoscaler.observe.endpoint import ask, require_url
from autoscaler.observe.source import Poll, SourceError
from autoscaler.wording import shown

_SKEW_SECONDS = 86_400.0  # no two clocks differ by more; milliseconds taken for seconds do


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpJsonSource:
    """One number in a JSON document, found by its pointer.

    ``pointer`` is an RFC 6901 JSON pointer: ``/queues/0/depth``, or empty for a document that is the number itself. Only a
    number counts: text, true, false and null are errors that say what was found. With ``timestamp``, the pointer of the sample's
    time (seconds since the epoch, or text such as ``2026-11-22T08:00:00Z``), the reading is as old as its sample.
    """

    url: Annotated[str, Help("address of the document")]
    pointer: Annotated[str, Help("JSON pointer to the number, such as /queues/0/depth")]
    timestamp: Annotated[str | None, Help("JSON pointer to the time of the number")] = None
    token: Annotated[str | None, Secret(), Help("bearer token")] = field(default=None, repr=False)
    user: Annotated[str | None, Help("user of basic authentication")] = None
    password: Annotated[str | None, Secret(), Help("password of basic authentication")] = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for an address that cannot be asked, a malformed pointer, or half a login."""
        require_url(self.url)
        require_pointer(self.pointer, "pointer")
        require_pointer(self.timestamp or "", "timestamp")
        self._login()

    def read(self, poll: Poll) -> Reading:
        """Return the number the document holds now; raise ``SourceError`` when there is none."""
        document = self._document(poll)
        value = _number(_at(document, self.pointer), self.pointer)
        return poll.reading(value, age_seconds=self._age(document, poll))

    def _login(self) -> Login:
        return Login(token=self.token, user=self.user, password=self.password)

    def _document(self, poll: Poll) -> Json:
        answer = ask(self.url, poll, self._login())
        try:
            return answer.checked().json()
        except HttpError as error:
            raise SourceError(str(error)) from error

    def _age(self, document: Json, poll: Poll) -> float:
        if self.timestamp is None:
            return 0.0
        found = _at(document, self.timestamp)
        sampled_at = _time(found, self.timestamp) if isinstance(found, str) else _number(found, self.timestamp)
        if not sampled_at - poll.at < _SKEW_SECONDS:
            raise SourceError(f"the time at {self.timestamp} lies in the future; it must be in seconds since the epoch")
        return poll.at - sampled_at


def _at(document: Json, pointer: str) -> Json:
    try:
        return find(document, pointer)
    except PointerError as error:
        raise SourceError(str(error)) from error


def _number(value: Json, pointer: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SourceError(f"found {described(value)} at {pointer or 'the top'}, not a number")
    try:
        return float(value)
    except OverflowError as error:
        raise SourceError(f"the number at {pointer or 'the top'} is too large") from error


def _time(text: str, pointer: str) -> float:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise SourceError(f"found {shown(text)} at {pointer}, not a time such as 2026-11-22T08:00:00Z") from error
    if time.tzinfo is None:
        raise SourceError(f"the time {shown(text)} at {pointer} has no time zone; end it with Z or an offset")
    return time.timestamp()
