"""Read a metric as the answer of a Prometheus server to an instant query."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

from autoscaler.http_client import Answer, HttpError, Login
from autoscaler.model import Help, Json, Reading, Secret
from autoscaler.observe.endpoint import ask, require_url
from autoscaler.observe.source import Poll, SourceError
from autoscaler.wording import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusSource:
    """The answer of a Prometheus server, or of anything that speaks its query API, to an instant query.

    The query gives a scalar, or a vector of exactly one series: aggregate several with ``sum(...)`` or ``max(...)``. No series,
    NaN and infinity are no data, never 0. The sample's own time gives its age. A query over a range such as ``rate(x[1m])``
    needs a range of at least four scrape intervals; write the same span as ``window`` beside it.
    """

    url: Annotated[str, Help("address of the server, such as http://127.0.0.1:9090")]
    query: Annotated[str, Help("PromQL that gives one number, such as sum(rate(http_requests_total[1m]))")]
    token: Annotated[str | None, Secret(), Help("bearer token")] = field(default=None, repr=False)
    user: Annotated[str | None, Help("user of basic authentication")] = None
    password: Annotated[str | None, Secret(), Help("password of basic authentication")] = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for an address that cannot be asked, an empty query, or half a login."""
        require_url(self.url)
        if not self.query.strip():
            raise ValueError("query is empty; write PromQL that gives one number")
        self._login()

    def read(self, poll: Poll) -> Reading:
        """Return the one value the query answers with now; raise ``SourceError`` when there is none."""
        sampled_at, value = self._sample(self.query, poll)
        return poll.reading(value, age_seconds=poll.at - sampled_at)

    def check_alive(self, query: str, poll: Poll) -> None:
        """Raise ``SourceError`` unless ``query`` answers with a number other than zero."""
        _, value = self._sample(query, poll)
        if value == 0 or math.isnan(value):
            raise SourceError(f"{shown(query)} is {value:g}")

    def _login(self) -> Login:
        return Login(token=self.token, user=self.user, password=self.password)

    def _sample(self, query: str, poll: Poll) -> tuple[float, float]:
        """Return time and value of the one sample a query answers with."""
        parts = urlsplit(self.url)
        url = urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/api/v1/query"))
        answer = ask(url, poll, self._login(), {"query": query, "timeout": f"{max(1, round(poll.timeout_seconds * 1000))}ms"})
        try:
            return _one_sample(_data(answer))
        except HttpError as error:
            raise SourceError(str(error)) from error
        except (LookupError, TypeError, ValueError, OverflowError) as error:
            raise SourceError(f"{answer.host} answered with JSON that is not Prometheus's") from error


# Any answer may hold anything: the functions below index it as Prometheus documents it, and their caller takes what goes wrong.


def _data(answer: Answer) -> dict[str, Json]:
    """Return the data of an answer; pass on the error that Prometheus or the server in front of it names."""
    try:
        document = answer.json()
    except HttpError:
        answer.checked()  # a failure's status tells more than its page
        raise
    if isinstance(document, dict) and document.get("status") == "error":
        said = f"{document.get('errorType')}: {document.get('error')}"
        raise SourceError(f"{answer.host} answered {_one_line(said)}")
    answer.checked()
    data = _mapping(document)["data"]
    return _mapping(data)


def _one_sample(data: dict[str, Json]) -> tuple[float, float]:
    kind, result = data["resultType"], data["result"]
    if kind == "scalar":
        return _sample(result)
    if kind != "vector" or not isinstance(result, list):
        raise SourceError(f"the query gives a {shown(str(kind))}, not one number; a range such as x[5m] needs a function around it")
    if not result:
        raise SourceError("no data: the query matches no series")
    if len(result) > 1:
        raise SourceError(f"the query gives {len(result)} series, not one; aggregate them, as sum(...) or max(...) does")
    series = _mapping(result[0])
    if "value" not in series:
        raise SourceError("the query gives a native histogram, not one number; use histogram_quantile(...) or histogram_count(...)")
    return _sample(series["value"])


def _sample(pair: Json) -> tuple[float, float]:
    if not isinstance(pair, list) or not isinstance(pair[0], int | float):
        raise TypeError("a sample is a list of time and value")
    return float(pair[0]), float(str(pair[1]))


def _mapping(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
