"""Read from a real Prometheus server that scrapes a small exporter."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autoscaler.clock import SystemClock
from autoscaler.http_client import HttpError, get
from autoscaler.observe.prometheus import PrometheusSource
from autoscaler.observe.source import Poll, SourceError
from tests.http_servers import page, serving

pytestmark = pytest.mark.server

_CONFIGURATION = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
  - {{job_name: app, static_configs: [{{targets: ["{exporter}"]}}]}}
  - {{job_name: gone, static_configs: [{{targets: ["127.0.0.1:{absent}"]}}]}}
"""
_PAGE = 'jobs{queue="mail"} 3\njobs{queue="chat"} 4.5\n'


def _answers(url: str, query: str) -> bool:
    try:
        return bool(get(f"{url}/api/v1/query", timeout_seconds=5, parameters={"query": query}).checked().json()["data"]["result"])
    except HttpError:
        return False


_READY = '(count_over_time(jobs[1m]) > 2) and on() (up{job="gone"} == 0)'


@pytest.fixture(scope="module")
def server(
    require_program: Callable[[str], str],
    free_ports: Callable[[int], list[int]],
    eventually: Callable[..., object],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Run Prometheus until it has scraped the exporter; return its URL."""
    program, folder, (port, absent) = require_program("prometheus"), tmp_path_factory.mktemp("prometheus"), free_ports(2)
    with serving(page(_PAGE, kind="text/plain; version=0.0.4")) as exporter:
        configuration = Path(folder, "prometheus.yml")
        configuration.write_text(_CONFIGURATION.format(exporter=exporter.removeprefix("http://"), absent=absent))
        options = [f"--config.file={configuration}", f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"]
        with subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                eventually(lambda: _answers(f"http://127.0.0.1:{port}", _READY), seconds=60.0)
                yield f"http://127.0.0.1:{port}"
            finally:
                process.kill()


def _poll() -> Poll:
    return Poll(metric="jobs", now=1000.0, at=SystemClock().wall(), timeout_seconds=10.0)


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("sum(jobs)", 7.5),
        ("scalar(sum(jobs))", 7.5),
        ("max(jobs)", 4.5),
        ('jobs{queue="mail"}', 3.0),
        ("vector(2)", 2.0),
        ("1 + 1", 2.0),
        ("sum(rate(jobs[1m]))", 0.0),
    ],
)
def test_one_value_is_read(server, query, value):
    reading = PrometheusSource(url=server, query=query).read(_poll())
    assert reading.value == value
    assert 990.0 <= reading.at <= 1000.0


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("sum(absent_metric)", "no data: the query matches no series"),
        ("jobs", "the query gives 2 series, not one; aggregate them"),
        ("0 / 0", "the value is nan"),
        ("1 / 0", "the value is inf"),
        ("jobs[1m]", "the query gives a 'matrix', not one number"),
        ('"text"', "the query gives a 'string', not one number"),
        ("sum(", "answered bad_data: .*parse error"),
    ],
)
def test_anything_else_is_a_cause(server, query, said):
    with pytest.raises(SourceError, match=said):
        PrometheusSource(url=server, query=query).read(_poll())


def test_the_liveness_of_an_exporter_is_told(server):
    source = PrometheusSource(url=server, query="sum(jobs)")
    source.check_alive('min(up{job="app"})', _poll())
    with pytest.raises(SourceError, match="is 0"):
        source.check_alive('min(up{job="gone"})', _poll())
    with pytest.raises(SourceError, match="matches no series"):
        source.check_alive('min(up{job="unknown"})', _poll())


def test_another_page_of_the_server_is_named(server):
    with pytest.raises(SourceError, match="answered 404 Not Found"):
        PrometheusSource(url=f"{server}/elsewhere", query="sum(jobs)").read(_poll())
