"""Read saved answers of Prometheus to a range query."""

import json

import pytest

from autoscaler_simulations.load.errors import TraceError
from autoscaler_simulations.load.trace_prometheus import read_range_json

_START = 1767571200  # 2026-01-05T00:00:00Z


def _series(*pairs):
    return {"metric": {}, "values": [[_START + second, value] for second, value in pairs]}


def _answer(*series):
    return {"status": "success", "data": {"resultType": "matrix", "result": list(series)}}


@pytest.fixture
def saved(tmp_path):
    """Write an answer and return its path."""

    def write(answer):
        path = tmp_path / "range.json"
        path.write_text(answer if isinstance(answer, str) else json.dumps(answer))
        return path

    return write


def test_values_are_requests_a_second(saved):
    curve = read_range_json(saved(_answer(_series((0, "1.5"), (15, "2"), (30, "0")))))
    assert (curve.interval_seconds, curve.rates.tolist(), curve.are_counts) == (15.0, [1.5, 2.0, 0.0], False)


def test_times_are_milliseconds_however_long_the_range(saved):
    curve = read_range_json(saved(_answer(_series(*((round(0.2 * place, 3), "1") for place in range(50_000))))))
    assert curve.interval_seconds == 0.2
    assert curve.rates.tolist() == [1.0] * 50_000


def test_series_are_summed_and_may_come_and_go(saved):
    curve = read_range_json(saved(_answer(_series((0, "1"), (15, "2")), _series((15, "10"), (30, "20")))))
    assert curve.rates.tolist() == [1.0, 12.0, 20.0]


def test_a_series_without_a_number_counts_as_nothing(saved):
    curve = read_range_json(saved(_answer(_series((0, "1"), (15, "NaN")), _series((0, "5"), (15, "10")))))
    assert curve.rates.tolist() == [6.0, 10.0]


_GAPS = _answer(_series((0, "4"), (15, "5"), (30, "NaN"), (60, "7")))


def test_missing_times_are_named(saved):
    with pytest.raises(TraceError, match="2 of 5 times have no value: 2026-01-05T00:00:30Z, 2026-01-05T00:00:45Z; fill with zero or last"):
        read_range_json(saved(_GAPS))


def test_only_the_first_of_many_missing_times_are_named(saved):
    with pytest.raises(TraceError, match=r"99 of 102 times have no value: 2026-01-05T00:00:02Z, .*:06Z, \.\.\.; fill"):
        read_range_json(saved(_answer(_series((0, "4"), (1, "5"), (101, "7")))))


@pytest.mark.parametrize(("fill", "rates"), [("zero", [4.0, 5.0, 0.0, 0.0, 7.0]), ("last", [4.0, 5.0, 5.0, 5.0, 7.0])])
def test_missing_times_are_filled_in_when_asked(saved, fill, rates):
    assert read_range_json(saved(_GAPS), fill).rates.tolist() == rates


def test_nothing_can_fill_the_first_time_but_zero(saved):
    path = saved(_answer(_series((0, "NaN"), (15, "5"))))
    assert read_range_json(path, "zero").rates.tolist() == [0.0, 5.0]
    with pytest.raises(TraceError, match="there is nothing before it to fill with"):
        read_range_json(path, "last")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("", ":1: not JSON, Expecting value; save the answer"),
        ('{"status":\n oops}', ":2: not JSON"),
        ("[" * 100_000, "JSON that cannot be read"),
        ({"status": "error", "errorType": "bad_data", "error": "parse\nerror"}, "answered bad_data: parse error; correct the query"),
        ({"status": "success", "data": {"resultType": "vector", "result": []}}, "the result is a 'vector', not a matrix"),
        (_answer({"metric": {}, "histograms": []}), "the result is a native histogram"),
        (_answer(), "there is no series"),
        (_answer(_series()), "there is no series"),
        (_answer(_series((0, "1"))), "2026-01-05T00:00:00Z is the only time"),
        (_answer(_series((0, "1"), (15, "-2"))), "-2 at 2026-01-05T00:00:15Z is no rate"),
        (_answer(_series((0, "1"), (15, "+Inf"))), "inf at 2026-01-05T00:00:15Z is no rate"),
        (_answer(_series((0, "1"), (15, "2"), (37, "3"))), "the sample at 2026-01-05T00:00:37Z is at no step of 15 s"),
        (_answer(_series((15, "1"), (0, "2"))), "the sample at 2026-01-05T00:00:00Z is not after the one before it"),
        (_answer(_series((0, "1"), (0.001, "2"), (1e8, "3"))), "steps of 0.001 s are more than 10,000,000"),
        (_answer(_series((0, "1"), (1e14, "2"))), "is no time in seconds since 1970"),
    ],
)
def test_what_is_no_load_is_named(saved, answer, said):
    with pytest.raises(TraceError) as caught:
        read_range_json(saved(answer))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        "7",
        {"status": "success"},
        {"status": "success", "data": []},
        _answer(7),
        _answer({"values": 7}),
        _answer({"values": [7]}),
        _answer({"values": [[]]}),
        _answer({"values": [[0]]}),
        _answer({"values": [["a", "1"]]}),
        _answer({"values": [[0, "one"]]}),
        _answer({"values": [[0, None]]}),
    ],
    ids=json.dumps,
)
def test_json_of_another_kind_is_named(saved, answer):
    with pytest.raises(TraceError, match="not what Prometheus answers to a range query"):
        read_range_json(saved(answer))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(TraceError, match="there is no such file"):
        read_range_json(tmp_path / "absent.json")
