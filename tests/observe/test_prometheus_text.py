import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from autoscaler.http_client import host_of
from autoscaler.model import Address, Reading
from autoscaler.observe.prometheus_text import PrometheusTextSource
from autoscaler.observe.source import ReadsEachProcess
from tests.http_servers import Handler, page, pages, serving, silent

_PAGE = 'jobs{queue="mail"} 3\njobs{queue="chat"} 5\n'


def _gauge(url: str | None, **fields: object) -> PrometheusTextSource:
    return PrometheusTextSource(**{"url": url, "metric": "jobs", **fields})


def _counter(url: str | None, **fields: object) -> PrometheusTextSource:
    return _gauge(url, kind="counter", **fields)


def _each(**fields: object) -> PrometheusTextSource:
    return _gauge(None, each_process=True, process_type="web", **fields)


@pytest.fixture
def processes() -> Iterator[Callable[..., dict[str, Address]]]:
    """Serve pages as processes web.1, web.2 ...; return their metrics addresses."""
    with ExitStack() as stack:

        def start(*handlers: Handler | str) -> dict[str, Address]:
            started = [stack.enter_context(serving(page(one) if isinstance(one, str) else one)) for one in handlers]
            return {f"web.{n}": Address("127.0.0.1", int(url.rpartition(":")[2])) for n, url in enumerate(started, 1)}

        yield start


@pytest.mark.parametrize(("aggregate", "value"), [("sum", 8.0), ("max", 5.0), ("min", 3.0), ("mean", 4.0)])
def test_series_are_aggregated(poll, aggregate, value):
    with serving(page(_PAGE)) as url:
        assert _gauge(url, aggregate=aggregate).read(poll(window_seconds=30.0)) == Reading("jobs", value, 1000.0, 30.0)


def test_labels_keep_the_series_that_carry_them(poll):
    with serving(page(_PAGE)) as url:
        assert _gauge(url, labels={"queue": "mail"}).read(poll()).value == 3.0


def test_the_newest_time_on_the_page_gives_the_age(poll):
    with serving(page('jobs{a="1"} 1 4980000\njobs{a="2"} 2 4990000\n')) as url:
        assert _gauge(url).read(poll()) == Reading("jobs", 3.0, 990.0)


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (page("<html>"), "HOST answered with HTML, not with metrics"),
        (page("tasks 1"), "HOST has no sample of jobs"),
        (page("jobs NaN"), "jobs{} is nan"),
        (page(_PAGE, status="500 Oops"), "HOST answered 500 Internal Server Error"),
    ],
)
def test_a_page_without_a_value_is_no_data(cause, handler, said):
    with serving(handler) as url:
        assert cause(_gauge(url)).replace(host_of(url), "HOST") == said


def test_the_first_sample_of_a_counter_has_no_rate(cause):
    with serving(page(_PAGE)) as url:
        assert cause(_counter(url)) == "first sample of a counter; a rate needs two"


def test_a_counter_becomes_a_rate_over_the_time_between_polls(poll, cause):
    with serving(pages('jobs{q="a"} 10\njobs{q="b"} 0', 'jobs{q="a"} 30\njobs{q="b"} 5')) as url:
        source = _counter(url)
        cause(source, now=1000.0)
        assert source.read(poll(now=1010.0, window_seconds=60.0)) == Reading("jobs", 2.5, 1010.0, 10.0)


def test_a_counter_that_counts_backwards_gives_no_negative_rate(poll, cause):
    with serving(pages("jobs 100", "jobs 20", "jobs 10")) as url:
        source = _counter(url)
        cause(source, now=1000.0)
        assert [source.read(poll(now=now)).value for now in (1010.0, 1020.0)] == [2.0, 1.0]


def test_a_failed_scrape_spreads_the_next_rate_over_the_gap(poll, cause):
    with serving(pages("jobs 0", page("", status="503 Off"), "jobs 40")) as url:
        source = _counter(url)
        cause(source, now=1000.0)
        cause(source, now=1010.0)
        assert source.read(poll(now=1020.0)) == Reading("jobs", 2.0, 1020.0, 20.0)


def test_series_that_were_all_replaced_have_a_rate_again_at_the_next_poll(poll, cause):
    with serving(pages('jobs{v="1"} 100', 'jobs{v="2"} 7', 'jobs{v="2"} 17')) as url:
        source = _counter(url)
        cause(source, now=1000.0)
        assert cause(source, now=1010.0) == "every series of the counter is new; a rate needs two samples of one"
        assert source.read(poll(now=1020.0)).value == 1.0


def test_a_page_with_its_own_times_gives_a_rate_between_those(poll, cause):
    with serving(pages("jobs 0 4990000", "jobs 0 4990000", "jobs 30 5005000")) as url:
        source = _counter(url)
        cause(source, now=1000.0, at=5000.0)
        assert cause(source, now=1005.0, at=5005.0) == "the counter has no newer sample than at the last poll"
        assert source.read(poll(now=1010.0, at=5010.0)) == Reading("jobs", 2.0, 1005.0, 15.0)


def test_every_process_is_asked_for_its_share(poll, processes):
    web = processes("jobs 3", "jobs 5")
    assert _each().read(poll(processes=web)) == Reading("jobs", 8.0, 1000.0, 0.0, {"web.1": 3.0, "web.2": 5.0})


def test_a_share_is_aggregated_like_the_whole(poll, processes):
    web = processes(_PAGE, 'jobs{queue="mail"} 4')
    assert _each(aggregate="max").read(poll(processes=web)) == Reading("jobs", 5.0, 1000.0, 0.0, {"web.1": 5.0, "web.2": 4.0})


@pytest.mark.parametrize(("url", "target"), [(None, "/metrics"), ("http://any/deep/metrics?a=1", "/deep/metrics?a=1"), ("http://any:1", "/metrics")])
def test_processes_are_asked_at_the_path_of_the_url(poll, processes, url, target):
    asked: list[str] = []

    def remember(connection, target, headers):
        asked.append(target)
        page("jobs 1")(connection, target, headers)

    PrometheusTextSource(metric="jobs", url=url, each_process=True, process_type="web").read(poll(processes=processes(remember)))
    assert asked == [target]


@pytest.mark.parametrize("handler", [silent, page("<html>"), page("jobs NaN"), page("", status="500 Oops")])
def test_one_failing_process_does_not_hide_the_others(poll, processes, handler):
    web = processes("jobs 3", handler, "jobs 5")
    reading = _each().read(poll(processes=web, timeout_seconds=1.0))
    assert (reading.value, reading.by_process) == (8.0, {"web.1": 3.0, "web.3": 5.0})


def test_silent_processes_leave_the_answers_of_the_others_in_time(poll, processes):
    web = processes("jobs 3", *[silent] * 5)
    began = time.monotonic()
    assert _each().read(poll(processes=web, timeout_seconds=2.0)).value == 3.0
    assert time.monotonic() - began < 2.0


def test_more_processes_than_threads_are_all_asked(poll, processes):
    web = processes(*["jobs 1"] * 100)
    reading = _each().read(poll(processes=web))
    assert reading.value == 100.0
    assert list(reading.by_process or {}) == list(web)


def test_no_answer_from_any_process_is_no_data(cause, processes):
    web = processes("<html>", "tasks 1")
    said = cause(_each(), processes=web)
    assert said == f"none of 2 processes has a value; web.1: {web['web.1']} answered with HTML, not with metrics"


def test_without_a_ready_process_there_is_no_data(cause):
    assert cause(_each()) == "no process of web is ready"


def test_a_new_process_joins_with_its_second_sample(poll, cause, processes):
    web = processes(pages("jobs 0", "jobs 10", "jobs 20"), pages("jobs 500", "jobs 520"))
    source, first = _each(kind="counter"), {"web.1": web["web.1"]}
    cause(source, now=1000.0, processes=first)
    assert source.read(poll(now=1010.0, processes=web)).by_process == {"web.1": 1.0}
    assert source.read(poll(now=1020.0, processes=web)) == Reading("jobs", 3.0, 1020.0, 10.0, {"web.1": 1.0, "web.2": 2.0})


def test_a_restarted_process_begins_at_its_own_zero(poll, cause, processes):
    web = processes(pages("jobs 1000", "jobs 1010"), pages("jobs 1000", "jobs 5"))
    source = _each(kind="counter")
    cause(source, now=1000.0, processes=web)
    assert source.read(poll(now=1010.0, processes=web)).by_process == {"web.1": 1.0, "web.2": 0.5}


def test_a_process_that_left_and_came_back_is_new(poll, cause, processes):
    web = processes(pages("jobs 0", "jobs 10", "jobs 20"), pages("jobs 0", "jobs 900"))
    source, first = _each(kind="counter"), {"web.1": web["web.1"]}
    cause(source, now=1000.0, processes=web)
    source.read(poll(now=1010.0, processes=first))
    assert source.read(poll(now=1020.0, processes=web)).by_process == {"web.1": 1.0}


def test_a_process_that_did_not_answer_once_keeps_its_last_sample(poll, cause, processes):
    web = processes(pages("jobs 0", "jobs 10", "jobs 20"), pages("jobs 0", page("", status="503 Off"), "jobs 40"))
    source = _each(kind="counter")
    cause(source, now=1000.0, processes=web)
    assert source.read(poll(now=1010.0, processes=web)).by_process == {"web.1": 1.0}
    assert source.read(poll(now=1020.0, processes=web)) == Reading("jobs", 3.0, 1020.0, 20.0, {"web.1": 1.0, "web.2": 2.0})


def test_no_thread_is_left_after_a_poll(poll, processes):
    web = processes(*["jobs 1"] * 3)
    before = set(threading.enumerate())
    _each().read(poll(processes=web))
    assert not [thread for thread in threading.enumerate() if thread not in before and "process_request" not in thread.name]


def test_only_a_metric_of_the_processes_is_absent_without_them():
    assert _gauge("http://h").exists_at_zero
    assert not _each().exists_at_zero


def test_the_type_that_is_read_is_named():
    assert isinstance(_each(), ReadsEachProcess)
    assert (_each().process_type, _gauge("http://h").process_type) == ("web", None)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "url is missing; give one, or each_process: true with a process_type"),
        ({"url": "localhost/metrics"}, "url is not an http or https URL"),
        ({"url": "http://h", "metric": " "}, "metric is empty"),
        ({"each_process": True}, "each_process: true and process_type belong together"),
        ({"url": "http://h", "process_type": "web"}, "each_process: true and process_type belong together"),
    ],
)
def test_a_source_that_cannot_work_is_refused(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        PrometheusTextSource(**{"metric": "jobs", **fields})


def test_what_a_source_remembers_is_no_part_of_it(cause):
    with serving(page("jobs 1")) as url:
        used = _counter(url, labels={})
        cause(used)
    assert used == _counter(url)
    assert hash(used) == hash(_counter(url))
    assert "counted" not in repr(used)
