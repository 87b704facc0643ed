"""Ask a Prometheus server what load a query saw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

import numpy as np

from autoscaler.http_client import Answer, HttpError, Login, get, host_of
from autoscaler.model import Duration, Help, Json, Secret
from autoscaler_simulations.load.errors import TraceError
from autoscaler_simulations.load.trace import RateCurve
from autoscaler_simulations.load.trace_prometheus import MOST_TIMES, Fill, Grid, Samples, curve_on, samples_of

_PIECE = 10_000  # times of one question; Prometheus refuses more than 11,000
_MILLISECOND = 0.001  # all that Prometheus keeps of a time


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeQuery:
    """The load that a Prometheus server, or anything that speaks its query API, recorded.

    The query gives requests a second; several series are summed. Times at which it gives no number are an error, or filled in.
    """

    url: Annotated[str, Help("address of the server, such as http://127.0.0.1:9090")]
    query: Annotated[str, Help("PromQL that gives requests a second, such as sum(rate(http_requests_total[1m]))")]
    start: Annotated[str, Help("the first moment, such as 2026-01-05T00:00:00Z")]
    end: Annotated[str, Help("the moment after the last")]
    step_seconds: Annotated[Duration, Help("from one value to the next")] = 60.0
    fill: Annotated[Fill | None, Help("takes 0, or the last value, where there is none")] = None
    token: Annotated[str | None, Secret(), Help("bearer token")] = field(default=None, repr=False)
    user: Annotated[str | None, Help("user of basic authentication")] = None
    password: Annotated[str | None, Secret(), Help("password of basic authentication")] = field(default=None, repr=False)
    timeout_seconds: Annotated[Duration, Help("for the answer to each 10,000 values")] = 30.0

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for an address that cannot be asked, an empty query, half a login, or a range that cannot be asked for."""
        try:
            host_of(self.url)
        except ValueError as error:
            raise ValueError(f"url is {error}") from error
        if not self.query.strip():
            raise ValueError("query is empty; write PromQL that gives requests a second")
        self._login()
        self._grid()

    def curve(self) -> RateCurve:
        """Ask the server piece by piece; raise ``TraceError`` for a server that gives no answer, and for missing times without ``fill``."""
        grid, host = self._grid(), host_of(self.url)
        pieces = [samples_of(answer, host) for answer in self._answers(grid)]
        times = np.concatenate([piece.times for piece in pieces])
        if not len(times):
            raise TraceError(f"{host}: the query matches no series from {self.start} to {self.end}; correct one of them")
        return curve_on(grid, Samples(times, np.concatenate([piece.values for piece in pieces])), self.fill, host)

    def _grid(self) -> Grid:
        start, end = _seconds("start", self.start), _seconds("end", self.end)
        if end <= start:
            raise ValueError(f"end {self.end} is not after start {self.start}; swap or correct them")
        if abs(self.step_seconds - round(self.step_seconds, 3)) > _MILLISECOND**2 or self.step_seconds < _MILLISECOND:
            raise ValueError(f"step {self.step_seconds:g}s is not in whole milliseconds, as Prometheus keeps time; round it")
        number = ceil(round((end - start) / self.step_seconds, 6))
        if number > MOST_TIMES:
            raise ValueError(f"{number:,} steps of {self.step_seconds:g}s are more than {MOST_TIMES:,}; make the step longer or the range shorter")
        return Grid(start, self.step_seconds, number)

    def _answers(self, grid: Grid) -> Iterator[Json]:
        for first in range(0, grid.number, _PIECE):
            last = min(first + _PIECE, grid.number) - 1
            yield self._ask(grid.start + first * grid.step_seconds, grid.start + last * grid.step_seconds)

    def _ask(self, start: float, end: float) -> Json:
        parts = urlsplit(self.url)
        url = urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/api/v1/query_range"))
        asked = {"query": self.query, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{self.step_seconds:.3f}"}
        try:
            answer = get(url, timeout_seconds=self.timeout_seconds, login=self._login(), parameters=asked)
            return _document(answer)
        except HttpError as error:
            raise TraceError(f"{error}; correct the address or the login") from error

    def _login(self) -> Login:
        return Login(token=self.token, user=self.user, password=self.password)


def _document(answer: Answer) -> Json:
    """Return what was answered, with Prometheus's own words where it failed; raise ``HttpError`` for any other failure."""
    try:
        document = answer.json()
    except HttpError:
        answer.checked()  # a failure's status tells more than its page
        raise
    if not (isinstance(document, dict) and document.get("status") == "error"):
        answer.checked()
    return document


def _seconds(name: str, moment: str) -> float:
    fix = "write it as 2026-01-05T00:00:00Z"
    try:
        at = datetime.fromisoformat(moment)
    except ValueError as error:
        raise ValueError(f"{name} {moment!r} is not a moment; {fix}") from error
    if at.tzinfo is None:
        raise ValueError(f"{name} {moment} has no time zone; {fix}")
    return round(at.timestamp(), 3)
