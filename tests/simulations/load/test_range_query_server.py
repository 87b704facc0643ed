"""Ask a real Prometheus server for a load."""

from datetime import UTC, datetime

import pytest

from autoscaler.clock import SystemClock
from autoscaler_simulations.load.errors import TraceError
from autoscaler_simulations.load.range_query import RangeQuery

pytestmark = pytest.mark.server


def _moment(seconds):
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _last_second(url, query, **fields):
    """Ask for five values of the second that ended two seconds ago."""
    now = SystemClock().wall()
    return RangeQuery(url=url, query=query, start=_moment(now - 3.0), end=_moment(now - 2.0), step_seconds=0.2, **fields)


@pytest.mark.parametrize(("query", "value"), [("sum(jobs)", 7.5), ("jobs", 7.5), ('jobs{queue="mail"}', 3.0), ("vector(2)", 2.0)])
def test_series_of_a_server_are_summed(server, eventually, query, value):
    eventually(lambda: _has_run_for_a_while(server))
    curve = _last_second(server, query).curve()
    assert curve.interval_seconds == 0.2
    assert curve.rates.tolist() == [value] * 5


def _has_run_for_a_while(server):
    try:
        return _last_second(server, "sum(jobs)").curve()
    except TraceError:
        return False


def test_more_values_than_a_server_gives_at_once_are_asked_in_pieces(server):
    asked = RangeQuery(url=server, query="time() - 1767571200", start="2026-01-05T00:00:00Z", end="2026-01-05T07:00:00Z", step_seconds=1.0)
    assert asked.curve().rates.tolist() == list(range(25_200))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("sum(", "answered bad_data: .*parse error"),
        ("sum(absent_metric)", "the query matches no series"),
        ("-vector(1)", "-1 at .* is no rate of 0"),
        ("vector(0) / 0", "5 of 5 times have no value"),
    ],
)
def test_what_is_no_load_is_named(server, query, said):
    with pytest.raises(TraceError, match=said):
        _last_second(server, query).curve()


def test_times_without_a_value_are_filled_in_when_asked(server):
    assert _last_second(server, "vector(0) / 0", fill="zero").curve().rates.tolist() == [0.0] * 5
