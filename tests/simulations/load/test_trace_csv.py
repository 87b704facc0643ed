"""Read traces from CSV files, and name every mistake in them."""

import time
from pathlib import Path

import numpy as np
import pytest

from autoscaler_simulations.load.errors import TraceError
from autoscaler_simulations.load.trace import JobList, RateCurve
from autoscaler_simulations.load.trace_csv import read_trace

_TRACES = Path(__file__).resolve().parents[4] / "shared" / "traces"
_HEADER = "timestamp_s,requests\n"
_ROWS = "0,10\n60,20\n120,0\n"
_JOBS = "arrival_s,service_s\n"


@pytest.fixture
def file(tmp_path):
    """Write a file and return its path."""

    def write(content):
        path = tmp_path / "load.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def mistake(file):
    """Return what is said of a file, without its folder; fail when it is read."""

    def why(content):
        path = file(content)
        with pytest.raises(TraceError) as caught:
            read_trace(path)
        return str(caught.value).replace(f"{path.parent}/", "")

    return why


def test_counts_become_a_rate_curve(file):
    curve = read_trace(file(_HEADER + _ROWS))
    assert isinstance(curve, RateCurve)
    assert (curve.interval_seconds, curve.are_counts) == (60.0, True)
    assert (curve.rates * 60.0).tolist() == pytest.approx([10.0, 20.0, 0.0])


def test_numbers_that_are_not_whole_are_no_counts(file):
    assert not read_trace(file(_HEADER + "0,1.5\n1,2\n")).are_counts


def test_jobs_become_a_job_list(file):
    jobs = read_trace(file(_JOBS + "0,5\n0.25,1e2\n0.25,3\n7.5,4\n"))
    assert isinstance(jobs, JobList)
    assert jobs.arrivals.tolist() == [0.0, 0.25, 0.25, 7.5]
    assert jobs.services.tolist() == [5.0, 100.0, 3.0, 4.0]
    assert jobs.length_seconds == 8.0


def test_a_single_job_is_a_load(file):
    assert read_trace(file(_JOBS + "5,2\n")).length_seconds == 1.0


def test_columns_are_found_by_name(file):
    jobs = read_trace(file('note,service_s,size,arrival_s\na,5,x,1\n"b, c",6,y,2\n'))
    assert (jobs.arrivals.tolist(), jobs.services.tolist()) == ([0.0, 1.0], [5.0, 6.0])


@pytest.mark.parametrize(("header", "first"), [(_HEADER, "3600,10\n3660,20\n"), (_HEADER, "0.5,10\n60.5,20\n")])
def test_the_first_row_is_second_zero(file, header, first):
    assert read_trace(file(header + first)).length_seconds == 120.0


def test_jobs_begin_at_second_zero(file):
    assert read_trace(file(_JOBS + "100,1\n103,1\n")).arrivals.tolist() == [0.0, 3.0]


def test_rounded_timestamps_are_equal_intervals(file):
    curve = read_trace(file(_HEADER + "0,1\n0.333,1\n0.667,1\n1.000,1\n"))
    assert curve.interval_seconds == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + (_HEADER + _ROWS).encode(),
        (_HEADER + _ROWS).replace("\n", "\r\n"),
        (_HEADER + _ROWS).replace("\n", "\r"),
        "\n\n" + _HEADER + "\n0,10\n\n  \n60,20\n120,0\n\n",
        (_HEADER + _ROWS).rstrip("\n"),
        '"timestamp_s","requests"\n"0","10"\n"60","20"\n"120","0"\n',
        "timestamp_s, requests\n 0, 10\n60 ,20\n120,0\n",
        "requests,timestamp_s\n10,0\n20,60\n0,120\n",
        _HEADER + "0,1e1\n6e1,+20\n120,0.0\n",
    ],
    ids=["byte order mark", "crlf", "cr", "blank lines", "no last line end", "quoted", "spaces", "other order", "exponents"],
)
def test_other_ways_of_writing_say_the_same(file, content):
    curve = read_trace(file(content))
    assert (curve.interval_seconds, curve.are_counts) == (60.0, True)
    assert (curve.rates * 60.0).tolist() == pytest.approx([10.0, 20.0, 0.0])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "load.csv: the file is empty; begin it with a header"),
        ("\n \n", "load.csv: the file is empty; begin it with a header"),
        (_HEADER, "load.csv:1: no row follows the header; write one for each interval or job"),
        ("\n" + _HEADER + "\n\n", "load.csv:2: no row follows the header; write one for each interval or job"),
        (_ROWS, "load.csv:1: the header is '0,10'; it needs the columns timestamp_s,requests or arrival_s,service_s, apart by commas"),
        ("timestamp_s;requests\n0;1\n", "load.csv:1: the header is 'timestamp_s;requests'; it needs the columns "),
        ("timestamp_s,requests,requests\n0,1,2\n", "leave one column of each name"),
        ("timestamp_s,requests,arrival_s,service_s\n0,1,2,3\n", "leave one column of each name"),
        ("a" * 200_000 + "\n0,1\n", "load.csv:1: field larger than field limit"),
        (_HEADER + "0,10\n", "load.csv:2: timestamp_s: 0 is the only row, so that the length of an interval is unknown; write at least two"),
        (_HEADER + "0,10\n60,many\n", "load.csv:3: requests: 'many' is not a number; write one, or leave the row out"),
        (_HEADER + "0,10\n60,\n", "load.csv:3: requests: '' is not a number"),
        (_HEADER + "0,10\n60,1_000\n", "load.csv:3: requests: '1_000' is not a number"),
        (_HEADER + "0,10\n60,0x10\n", "load.csv:3: requests: '0x10' is not a number"),
        (_HEADER + "0,10\n60,\0\n", "load.csv:3: requests: '\\x00' is not a number"),
        (_HEADER + "0,10\n60,nan\n", "load.csv:3: requests: nan is no finite number; write one, or leave the row out"),
        (_HEADER + "0,10\ninf,3\n", "load.csv:3: timestamp_s: inf is no finite number"),
        (_HEADER + "0,10\n60,-4\n", "load.csv:3: requests: -4 is below 0; write how many requests arrived in the interval"),
        (_HEADER + "-60,10\n0,4\n", "load.csv:2: timestamp_s: -60 is below 0; write the seconds since the start"),
        (_HEADER + "0,1\n60,2\n30,3\n", "load.csv:4: timestamp_s: 30 is not after the row before it; sort the rows"),
        (_HEADER + "0,1\n60,2\n60,3\n", "load.csv:4: timestamp_s: 60 is not after the row before it"),
        (_HEADER + "1763800000000,1\n1763800060000,2\n", "load.csv:2: timestamp_s: 1763800000000 is above 1e+12; write seconds"),
        (_HEADER + "0,1\n60,1e300\n", "load.csv:3: requests: 1e+300 is above 1e+12"),
        (_HEADER + "0,1\n60,1e999\n", "load.csv:3: requests: inf is no finite number"),
        (_HEADER + "0,1\n60,2,3\n", "load.csv:3: the row has 3 cells and the header 2; write as many"),
        (_HEADER + "0,1\n60\n", "load.csv:3: the row has 1 cell and the header 2; write as many"),
        ("arrival_s,service_s,size\n0,1\n1,2,3,4\n", "load.csv:2: the row has 2 cells and the header 3"),
        (_HEADER + '0,1\n60,"2\n120,3\n', "load.csv:4: unexpected end of data; correct the quotation marks"),
        (
            _HEADER + "0,1\n60,2\n\n240,3\n",
            "load.csv:5: timestamp_s: 240 comes 180 s after 60 of line 3, and an interval is 60 s; fill in the 2 missing",
        ),
        (
            _HEADER + "0,1\n60,2\n\n120,5\n300,3\n",
            "300 comes 180 s after 120 of line 5, and an interval is 60 s; fill in the 2 missing, with 0 where nothing arrived",
        ),
        (
            _HEADER + "0,1\n60,2\n120,5\n150,3\n",
            "load.csv:5: timestamp_s: 150 comes 30 s after 120 of line 4, and an interval is 60 s; write one row",
        ),
        (_JOBS + "0,1\n3,0\n", "load.csv:3: service_s: 0 is not above 0; write the seconds of work, or leave the job out"),
        (_JOBS + "0,1\n3,-2\n", "load.csv:3: service_s: -2 is not above 0"),
        (_JOBS + "0,1\n3,2\n2,2\n", "load.csv:4: arrival_s: 2 is before the row above it; sort the rows by arrival"),
        (_JOBS + "0,1\n3,nan\n", "load.csv:3: service_s: nan is no finite number"),
        (_HEADER.encode() + b"0,1\n60,\xe9\n", "load.csv:3: byte 0xe9 is not UTF-8; save the file as UTF-8"),
        ((_HEADER + _ROWS).encode("utf-16"), "load.csv:1: byte 0xff is not UTF-8"),
    ],
)
def test_a_mistake_is_named_by_line_and_column(mistake, content, said):
    assert said in mistake(content)


@pytest.mark.parametrize(("name", "said"), [("absent.csv", "there is no such file"), (".", "this is a folder"), ("null\0byte", "cannot be read")])
def test_what_is_no_file_is_named(tmp_path, name, said):
    with pytest.raises(TraceError, match=said):
        read_trace(f"{tmp_path}/{name}")


def test_a_million_rows_are_read_in_seconds(file):
    path = file(_HEADER + "".join(f"{second},{second % 97}\n" for second in range(1_000_000)))
    begun = time.process_time()
    assert len(read_trace(path).rates) == 1_000_000
    assert time.process_time() - begun < 5.0


@pytest.mark.shared
@pytest.mark.parametrize("name", sorted(path.name for path in _TRACES.glob("*.csv")) or ["none"])
def test_every_shared_trace_is_read(shared, name):
    trace = read_trace(shared / "traces" / name)
    with (shared / "traces" / name).open() as lines:
        rows = sum(1 for _ in lines) - 1
    if name.startswith("jobs_"):
        assert len(trace.services) == rows
    else:
        assert trace.are_counts
        counts = np.loadtxt(shared / "traces" / name, delimiter=",", skiprows=1, usecols=1)
        assert np.rint(trace.rates * trace.interval_seconds).tolist() == counts.tolist()
