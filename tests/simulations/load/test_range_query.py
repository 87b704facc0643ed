"""Ask for a load over HTTP."""

import json
import socket
from urllib.parse import parse_qs, urlsplit

import pytest

from autoscaler.config.derive import options_of
from autoscaler_simulations.load.errors import TraceError
from autoscaler_simulations.load.range_query import RangeQuery
from tests.http_servers import page, serving

_START = 1767571200  # 2026-01-05T00:00:00Z


def _query(url="http://127.0.0.1:9", **fields):
    given = {"query": "sum(rate(x[1m]))", "start": "2026-01-05T00:00:00Z", "end": "2026-01-05T01:00:00Z", "step_seconds": 60.0}
    return RangeQuery(url=url, **given | fields)


def _prometheus(asked):
    """Answer the seconds since the start at each time asked for, up to 11,000 of them, and note what was asked."""

    def answer(connection: socket.socket, target: str, headers: dict[str, str]) -> None:
        given = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
        start, end, step = (float(given[name]) for name in ("start", "end", "step"))
        asked.append((urlsplit(target).path, start, end, step))
        times = [start + place * step for place in range(round((end - start) / step) + 1)]
        assert len(times) <= 11_000
        result = [{"metric": {}, "values": [[at, str(at - _START)] for at in times]}]
        page(json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}))(connection, target, headers)

    return answer


def test_the_end_is_no_time_of_the_load():
    with serving(_prometheus(asked := [])) as url:
        curve = _query(f"{url}/prefix/").curve()
    assert asked == [("/prefix/api/v1/query_range", _START, _START + 3540.0, 60.0)]
    assert (curve.interval_seconds, curve.rates.tolist()) == (60.0, [60.0 * minute for minute in range(60)])


def test_long_ranges_are_asked_in_pieces():
    with serving(_prometheus(asked := [])) as url:
        curve = _query(url, end="2026-01-05T08:00:00Z", step_seconds=1.0).curve()
    assert [end - start for _, start, end, _ in asked] == [9999.0, 9999.0, 8799.0]
    assert curve.rates.tolist() == list(range(28_800))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (page('{"status": "error", "errorType": "bad_data", "error": "parse error"}', status="400 Bad Request"), "answered bad_data: parse error"),
        (page("<html>", status="502 Bad Gateway"), "answered 502 Bad Gateway; correct the address or the login"),
        (page('{"message": "no"}', status="401 Unauthorized"), "answered 401 Unauthorized"),
        (page("<html>"), "answered with HTML, not JSON"),
        (page("{}"), "not what Prometheus answers to a range query"),
        (page('{"status": "success", "data": {"resultType": "matrix", "result": []}}'), "the query matches no series from 2026-01-05T00:00:00Z to"),
        (
            page('{"status": "success", "data": {"resultType": "matrix", "result": [{"values": [[1767571200, "1"]]}]}}'),
            "59 of 60 times have no value: 2026-01-05T00:01:00Z, ",
        ),
        (
            page('{"status": "success", "data": {"resultType": "matrix", "result": [{"values": [[1767574800, "1"]]}]}}'),
            "the sample at 2026-01-05T01:00:00Z is at no step",
        ),
    ],
)
def test_a_server_without_the_load_is_named(answer, said):
    with serving(answer) as url, pytest.raises(TraceError) as caught:
        _query(url).curve()
    assert said in str(caught.value)


def test_a_server_that_is_not_there_is_named(free_port):
    with pytest.raises(TraceError, match="connection refused by 127"):
        _query(f"http://127.0.0.1:{free_port}").curve()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": "ftp://host"}, "url is not an http or https URL"),
        ({"query": " "}, "query is empty"),
        ({"start": "yesterday"}, "start 'yesterday' is not a moment; write it as 2026-01-05T00:00:00Z"),
        ({"end": "2026-01-05T00:00:00"}, "end 2026-01-05T00:00:00 has no time zone"),
        ({"end": "2026-01-05T00:00:00Z"}, "is not after start"),
        ({"step_seconds": 1 / 3}, "step 0.333333s is not in whole milliseconds"),
        ({"step_seconds": 0.0001}, "not in whole milliseconds"),
        ({"step_seconds": 0.001, "end": "2027-01-05T00:00:00Z"}, "are more than 10,000,000; make the step longer"),
        ({"user": "me"}, "user and password belong together"),
    ],
)
def test_what_cannot_be_asked_is_refused(fields, said):
    with pytest.raises(ValueError, match=said):
        _query(**fields)


def test_no_secret_is_shown():
    hidden = "hidden"
    assert hidden not in repr(_query(token=hidden))


def test_the_configuration_can_write_it():
    assert [option.key for option in options_of(RangeQuery)][:6] == ["url", "query", "start", "end", "step", "fill"]
