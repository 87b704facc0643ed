"""One suite for every metric source: what each must do, whatever it reads from."""

import copy
import math
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, fields
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from autoscaler.model import Address, Reading
from autoscaler.observe.command import CommandSource
from autoscaler.observe.file import FileSource
from autoscaler.observe.http_json import HttpJsonSource
from autoscaler.observe.prometheus import PrometheusSource
from autoscaler.observe.prometheus_text import PrometheusTextSource
from autoscaler.observe.source import Poll, Source, SourceError
from autoscaler.observe.sql import SqlSource
from tests.http_servers import Handler, dripping, page, pages, serving

_NOW, _AT = 1000.0, 1_763_800_000.0
_WEB = {"each_process": True, "process_type": "web"}
_LONG_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n"
_FOR_EVER = "with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c"


@dataclass
class Bench:
    """Sets up what a source reads from, and the source; ``processes`` are those of the type ``web``."""

    folder: Path
    stack: ExitStack
    absent_port: int
    processes: dict[str, Address]

    def serve(self, handler: Handler) -> str:
        url = self.stack.enter_context(serving(handler))
        self.processes["web.1"] = Address("127.0.0.1", int(url.rpartition(":")[2]))
        return url

    def database(self, *values: object) -> str:
        path = self.folder / "jobs.db"
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("create table jobs (weight)")
            database.executemany("insert into jobs values (?)", [(value,) for value in values])
        return f"sqlite:///{path}"

    def file(self, content: str) -> str:
        path = self.folder / "depth"
        path.write_text(content)
        os.utime(path, (_AT - 3, _AT - 3))
        return str(path)

    def nobody(self) -> str:
        url = f"http://127.0.0.1:{self.absent_port}"
        self.processes["web.1"] = Address("127.0.0.1", self.absent_port)
        return url


def _prometheus(result: str) -> Handler:
    return page(f'{{"status": "success", "data": {{"resultType": "vector", "result": {result}}}}}')


def _counter(bench: Bench, *bodies: str) -> PrometheusTextSource:
    """Make a source that has seen the first of its pages."""
    source = PrometheusTextSource(metric="jobs", url=bench.serve(pages(*bodies)), kind="counter")
    with pytest.raises(SourceError, match="first sample"):
        source.read(_poll(bench, now=_NOW - 10))
    return source


def _poll(bench: Bench, **changed: float) -> Poll:
    return Poll(**{"metric": "jobs", "now": _NOW, "at": _AT, "timeout_seconds": 5.0, "processes": bench.processes, **changed})


@pytest.fixture
def bench(tmp_path: Path, free_port: int) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(tmp_path, stack, free_port, {})


Make = Callable[[Bench], Source]

# A source whose value is 5, with a sample 3 seconds old where the source knows that.
_WORKING: dict[str, tuple[Make, float]] = {
    "prometheus": (lambda b: PrometheusSource(url=b.serve(_prometheus(f'[{{"metric": {{}}, "value": [{_AT - 3}, "5"]}}]')), query="x"), 3.0),
    "prometheus_text": (lambda b: PrometheusTextSource(metric="jobs", url=b.serve(page(f"jobs 5 {(_AT - 3) * 1000:.0f}"))), 3.0),
    "prometheus_text counter": (lambda b: _counter(b, "jobs 100", "jobs 150"), 0.0),
    "prometheus_text each": (lambda b: b.serve(page("jobs 5")) and PrometheusTextSource(metric="jobs", **_WEB), 0.0),
    "http_json": (lambda b: HttpJsonSource(url=b.serve(page(f'{{"n": 5, "at": {_AT - 3}}}')), pointer="/n", timestamp="/at"), 3.0),
    "sql": (lambda b: SqlSource(url=b.database(2, 3), query="select sum(weight) from jobs"), 0.0),
    "command": (lambda _: CommandSource(command="echo 5"), 0.0),
    "file": (lambda b: FileSource(path=b.file("5\n")), 3.0),
}

# What it reads from is not there at all.
_UNREACHABLE: dict[str, Make] = {
    "prometheus": lambda b: PrometheusSource(url=b.nobody(), query="x"),
    "prometheus_text": lambda b: PrometheusTextSource(metric="jobs", url=b.nobody()),
    "prometheus_text each": lambda b: b.nobody() and PrometheusTextSource(metric="jobs", **_WEB),
    "http_json": lambda b: HttpJsonSource(url=b.nobody(), pointer=""),
    "sql": lambda b: SqlSource(url=f"sqlite:///{b.folder}/absent.db", query="select 1"),
    "command": lambda _: CommandSource(command="no-such-command-here"),
    "file": lambda b: FileSource(path=f"{b.folder}/absent"),
}

# It is there and has nothing to say, which a careless reader takes for 0.
_EMPTY: dict[str, Make] = {
    "prometheus": lambda b: PrometheusSource(url=b.serve(_prometheus("[]")), query="x"),
    "prometheus NaN": lambda b: PrometheusSource(url=b.serve(_prometheus('[{"metric": {}, "value": [1, "NaN"]}]')), query="x"),
    "prometheus_text": lambda b: PrometheusTextSource(metric="jobs", url=b.serve(page("tasks 5\n"))),
    "prometheus_text NaN": lambda b: PrometheusTextSource(metric="jobs", url=b.serve(page("jobs NaN\n"))),
    "prometheus_text counter": lambda b: _counter(b, 'jobs{a="1"} 1', 'jobs{b="1"} 1'),
    "prometheus_text each": lambda b: b.serve(page("")) and PrometheusTextSource(metric="jobs", **_WEB),
    "prometheus_text none": lambda _: PrometheusTextSource(metric="jobs", **_WEB),
    "http_json": lambda b: HttpJsonSource(url=b.serve(page('{"n": null}')), pointer="/n"),
    "sql": lambda b: SqlSource(url=b.database(), query="select sum(weight) from jobs"),
    "sql without a row": lambda b: SqlSource(url=b.database(), query="select weight from jobs"),
    "command": lambda _: CommandSource(command="true"),
    "file": lambda b: FileSource(path=b.file("")),
}

# It never comes to an end.
_ENDLESS: dict[str, Make] = {
    "prometheus": lambda b: PrometheusSource(url=b.serve(dripping(_LONG_HEAD)), query="x"),
    "prometheus_text": lambda b: PrometheusTextSource(metric="jobs", url=b.serve(dripping(_LONG_HEAD))),
    "prometheus_text each": lambda b: b.serve(dripping(_LONG_HEAD)) and PrometheusTextSource(metric="jobs", **_WEB),
    "http_json": lambda b: HttpJsonSource(url=b.serve(dripping(_LONG_HEAD)), pointer=""),
    "sql": lambda b: SqlSource(url=b.database(), query=_FOR_EVER),
    "command": lambda _: CommandSource(command="trap '' TERM; exec sleep 60"),
}


def _each_of(makers: dict[str, Make]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("make", list(makers.values()), ids=list(makers))


_working = pytest.mark.parametrize("make", [make for make, _ in _WORKING.values()], ids=list(_WORKING))


@pytest.mark.parametrize(("make", "age"), list(_WORKING.values()), ids=list(_WORKING))
def test_a_reading_has_the_name_the_value_and_the_samples_time(bench: Bench, make: Make, age: float) -> None:
    reading = make(bench).read(_poll(bench))
    assert isinstance(reading, Reading)
    assert (reading.metric, reading.value, reading.at) == ("jobs", 5.0, _NOW - age)
    assert isinstance(reading.value, float)


@_working
def test_a_second_poll_works_like_the_first(bench: Bench, make: Make) -> None:
    source = make(bench)
    source.read(_poll(bench))
    reading = source.read(_poll(bench, now=_NOW + 10))
    assert math.isfinite(reading.value)
    assert reading.at >= _NOW - 3


@_each_of(_UNREACHABLE)
def test_what_is_not_there_has_a_cause(bench: Bench, make: Make) -> None:
    with pytest.raises(SourceError) as caught:
        make(bench).read(_poll(bench))
    assert len(str(caught.value)) > 10


@_each_of(_UNREACHABLE)
def test_what_is_not_there_keeps_failing_in_the_same_words(bench: Bench, make: Make) -> None:
    source, said = make(bench), []
    for _ in range(2):
        with pytest.raises(SourceError) as caught:
            source.read(_poll(bench))
        said.append(str(caught.value))
    assert said[0] == said[1]


@_each_of(_EMPTY)
def test_absent_data_is_never_zero(bench: Bench, make: Make) -> None:
    source = make(bench)
    with pytest.raises(SourceError):
        source.read(_poll(bench))


@_each_of(_ENDLESS)
def test_a_poll_ends_within_its_deadline(bench: Bench, make: Make) -> None:
    source = make(bench)
    began = time.monotonic()
    with pytest.raises(SourceError, match="no answer within"):
        source.read(_poll(bench, timeout_seconds=0.5))
    assert time.monotonic() - began < 10  # wide, since the machine may be busy; without a deadline it would never end


@_working
def test_a_source_is_equal_by_its_configuration(bench: Bench, make: Make) -> None:
    source = make(bench)
    before = copy.copy(source)
    source.read(_poll(bench))
    assert source == before
    assert hash(source) == hash(before)


@pytest.mark.parametrize("point", entry_points(group="autoscaler.sources"), ids=lambda point: point.name)
def test_every_source_explains_itself(point) -> None:
    source = point.load()
    assert source.__doc__.strip()
    unexplained = [each.name for each in fields(source) if each.init and "Help(" not in str(each.type)]
    assert unexplained == []


def test_every_source_passes_this_suite() -> None:
    names = {point.name for point in entry_points(group="autoscaler.sources") if point.value.startswith("autoscaler.observe.")}
    for makers in (_WORKING, _UNREACHABLE, _EMPTY):
        assert {name.split()[0] for name in makers} == names
