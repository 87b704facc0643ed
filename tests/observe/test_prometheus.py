import base64
import json
from collections.abc import Callable

import pytest

from autoscaler.http_client import host_of
from autoscaler.model import Reading
from autoscaler.observe.prometheus import PrometheusSource
from autoscaler.observe.source import SourceError
from tests.http_servers import Handler, page, serving

_HIDDEN = "hidden"


def _answer(kind: str, result: object) -> str:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}})


def _vector(*values: object) -> str:
    return _answer("vector", [{"metric": {"n": str(n)}, "value": [4990.5, value]} for n, value in enumerate(values)])


def _source(url: str, **fields: str) -> PrometheusSource:
    return PrometheusSource(**{"url": url, "query": "sum(x)", **fields})


@pytest.fixture
def said(cause: Callable[..., str]) -> Callable[[Handler | str], str]:
    """Return why a source has no reading when its server answers like this; HOST stands for the server."""

    def why(handler: Handler | str) -> str:
        with serving(page(handler) if isinstance(handler, str) else handler) as url:
            return cause(_source(url)).replace(host_of(url), "HOST")

    return why


@pytest.mark.parametrize("body", [_vector("12.5"), _answer("scalar", [4990.5, "12.5"])], ids=["vector", "scalar"])
def test_one_value_is_the_reading_with_its_samples_time(body, poll):
    with serving(page(body)) as url:
        assert _source(url).read(poll(window_seconds=60.0)) == Reading("jobs", 12.5, 990.5, 60.0)


def test_a_sample_from_the_future_is_as_old_as_the_poll(poll):
    with serving(page(_vector("1"))) as url:
        assert _source(url).read(poll(at=10.0)).at == 1000.0


def test_the_query_and_its_deadline_are_sent_below_the_path_of_the_url(poll):
    asked: list[str] = []

    def remember(connection, target, headers):
        asked.append(target)
        page(_vector("1"))(connection, target, headers)

    with serving(remember) as url:
        _source(f"{url}/prometheus/?tenant=a").read(poll(timeout_seconds=2.5))
    assert asked == ["/prometheus/api/v1/query?tenant=a&query=sum%28x%29&timeout=2500ms"]


@pytest.mark.parametrize(
    ("login", "sent"),
    [
        ({"token": _HIDDEN}, f"Bearer {_HIDDEN}"),
        ({"user": "me", "password": _HIDDEN}, f"Basic {base64.b64encode(b'me:hidden').decode()}"),
        ({}, None),
    ],
)
def test_the_login_is_sent(login, sent, poll):
    seen: list[str | None] = []

    def remember(connection, target, headers):
        seen.append(headers.get("authorization"))
        page(_vector("1"))(connection, target, headers)

    with serving(remember) as url:
        _source(url, **login).read(poll())
    assert seen == [sent]


@pytest.mark.parametrize(
    ("body", "cause_said"),
    [
        (_vector(), "no data: the query matches no series"),
        (_vector("1", "2", "3"), "the query gives 3 series, not one; aggregate them, as sum(...) or max(...) does"),
        (_vector("NaN"), "the value is nan"),
        (_vector("+Inf"), "the value is inf"),
        (_answer("matrix", []), "the query gives a 'matrix', not one number; a range such as x[5m] needs a function around it"),
        (_answer("string", [1, "a"]), "the query gives a 'string', not one number; a range such as x[5m] needs a function around it"),
        (
            _answer("vector", [{"metric": {}, "histogram": [1, {}]}]),
            "the query gives a native histogram, not one number; use histogram_quantile(...) or histogram_count(...)",
        ),
        ("[]", "HOST answered with JSON that is not Prometheus's"),
        ('{"status": "success"}', "HOST answered with JSON that is not Prometheus's"),
        ('{"data": 5}', "HOST answered with JSON that is not Prometheus's"),
        (_answer("scalar", []), "HOST answered with JSON that is not Prometheus's"),
        (_answer("scalar", ["1", "2"]), "HOST answered with JSON that is not Prometheus's"),
        (_answer("scalar", [1, "many"]), "HOST answered with JSON that is not Prometheus's"),
        (_answer("scalar", [10**400, "1"]), "HOST answered with JSON that is not Prometheus's"),
        (_answer("vector", ["x"]), "HOST answered with JSON that is not Prometheus's"),
        ("<html>Welcome", "HOST answered with HTML, not JSON"),
        ("", "HOST answered with an empty page, not JSON"),
    ],
)
def test_an_answer_without_one_number_is_no_data(said, body, cause_said):
    assert said(body) == cause_said


@pytest.mark.parametrize(
    ("status", "body", "cause_said"),
    [
        ("400 Bad", '{"status": "error", "errorType": "bad_data", "error": "1:5: parse\\nerror"}', "HOST answered bad_data: 1:5: parse error"),
        ("503 Off", '{"status": "error", "errorType": "timeout", "error": "query timed out"}', "HOST answered timeout: query timed out"),
        ("503 Off", "<html>no healthy upstream", "HOST answered 503 Service Unavailable"),
        ("401 No", "", "HOST answered 401 Unauthorized"),
        ("404 No", "{}", "HOST answered 404 Not Found"),
        ("500 No", _vector("5"), "HOST answered 500 Internal Server Error"),
    ],
)
def test_an_error_is_passed_on(said, status, body, cause_said):
    assert said(page(body, status=status)) == cause_said


@pytest.mark.parametrize(
    ("value", "death"),
    [("1", None), ("0.5", None), ("+Inf", None), ("0", "'min(up)' is 0"), ("-0", "'min(up)' is -0"), ("NaN", "'min(up)' is nan")],
)
def test_an_exporter_is_alive_unless_its_query_answers_zero(poll, value, death):
    with serving(page(_vector(value))) as url:
        assert _death(_source(url), poll()) == death


def test_an_exporter_nobody_knows_is_not_alive(poll):
    with serving(page(_vector())) as url:
        assert _death(_source(url), poll()) == "no data: the query matches no series"


def _death(source, poll) -> str | None:
    try:
        source.check_alive("min(up)", poll)
    except SourceError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"url": "prometheus:9090"}, "url is not an http or https URL"),
        ({"query": " "}, "query is empty"),
        ({"user": "me"}, "user and password belong together"),
        ({"token": "hid den"}, "token is empty or holds a space"),
    ],
)
def test_a_source_that_cannot_work_is_refused(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        _source(**{"url": "http://127.0.0.1:9090", **fields})


def test_secrets_are_not_shown():
    assert _HIDDEN not in repr(_source("http://h", token=_HIDDEN)) + repr(_source("http://h", user="me", password=_HIDDEN))
