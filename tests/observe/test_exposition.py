import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from autoscaler.http_client import Answer
from autoscaler.observe.exposition import Sample, samples_of
from autoscaler.observe.source import SourceError

_PAGE = """# HELP jobs Jobs.
# TYPE jobs gauge
jobs{queue="mail",state="waiting"} 3
jobs{queue="mail",state="running"} 1
jobs{queue="a \\"b\\" # {c} \\\\",state="waiting"} 5 4990500
jobs_total 7
jobs_done{queue="mail"} 9
broken{queue=} x
"""


def _samples(page: str | bytes, metric: str = "jobs", labels: dict[str, str] | None = None) -> list[Sample]:
    content = page.encode() if isinstance(page, str) else page
    return samples_of(Answer("HOST", 200, "", content), metric, labels or {})


def _cause(page: str | bytes, metric: str = "jobs", labels: dict[str, str] | None = None) -> str:
    with pytest.raises(SourceError) as caught:
        _samples(page, metric, labels)
    return str(caught.value)


def test_only_the_metric_of_that_name_is_read():
    assert [sample.value for sample in _samples(_PAGE)] == [3.0, 1.0, 5.0]
    assert [sample.value for sample in _samples(_PAGE, "jobs_total")] == [7.0]


def test_labels_filter_the_series():
    assert [sample.value for sample in _samples(_PAGE, labels={"state": "waiting"})] == [3.0, 5.0]


def test_labels_are_unescaped_and_times_are_seconds():
    assert _samples(_PAGE)[2] == Sample((("queue", 'a "b" # {c} \\'), ("state", "waiting")), 5.0, 4990.5)


def test_a_page_of_the_client_library_is_read():
    registry = CollectorRegistry()
    Gauge("depth", "Depth.", ["queue"], registry=registry).labels("ma}il").set(4)
    Counter("done", "Done.", registry=registry).inc(6)
    Histogram("seconds", "Seconds.", registry=registry).observe(0.2)
    page = generate_latest(registry)
    values = [_samples(page, name)[0].value for name in ("depth", "done_total", "seconds_count", "seconds_sum")]
    assert values == [4.0, 6.0, 1.0, 0.2]


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("", "HOST answered with an empty page, not with metrics"),
        (" \n\n", "HOST answered with an empty page, not with metrics"),
        ("<html>jobs 5", "HOST answered with HTML, not with metrics"),
        ("hello", "HOST answered with a page that is not in the Prometheus text format; it begins with 'hello'"),
        ('{"jobs": 3}', "HOST answered with a page that is not in the Prometheus text format; it begins with '{\"jobs\": 3}'"),
        (b"\xff\xfe\x00", "HOST answered with a page that is not in the Prometheus text format; it begins with '\ufffd\ufffd\\x00'"),
        ("# TYPE jobs gauge\n", "HOST has no sample of jobs"),
        ("tasks 5\n", "HOST has no sample of jobs"),
        ('tasks{queue="mail"} NaN 5\n', "HOST has no sample of jobs"),
        ('tasks{queue="mail"} +Inf\n', "HOST has no sample of jobs"),
        ("jobs 1\njobs many\n", "HOST has a line that is not in the Prometheus text format: 'jobs many'"),
        ("jobs 5 soon\n", "HOST has a line that is not in the Prometheus text format: 'jobs 5 soon'"),
        ("jobs NaN\n", "jobs{} is nan"),
        ('jobs{queue="mail"} +Inf\n', 'jobs{queue="mail"} is inf'),
        ("jobs 1" + "0" * 400, "jobs{} is inf"),
        ("jobs{" + "x" * 70_000, "HOST has a line of 70005 characters: 'jobs{xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'"),
    ],
)
def test_a_page_without_the_metric_is_no_data(page, said):
    assert _cause(page) == said


def test_labels_that_no_series_carries_are_named():
    assert _cause(_PAGE, labels={"queue": "chat"}) == 'HOST has 3 samples of jobs, and none with the labels {queue="chat"}'


@given(st.text(alphabet='jobs{}=",\\ \t#0123456789.eNaIf+-\n', max_size=40))
def test_no_line_breaks_the_reader(rest):
    try:
        _samples(f"jobs{{{rest}\njobs {rest}")
    except SourceError as error:
        assert str(error)  # noqa: PT017 - either samples or a cause, never another exception
