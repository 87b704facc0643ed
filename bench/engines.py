"""Count the calls that a tick makes of each engine's API, and time ticks where every call takes 50 ms."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from autoscaler.clock import SystemClock
from autoscaler.config.loading import load_text
from autoscaler.loop import Controller, connect_backends
from autoscaler.loop.connect import close_backends
from table import Table
from test_parts import test_part

PARTS = ("api_stub", "heroku_api", "kubernetes_api", "nomad_api", "platform_api")
stubs, heroku, kubernetes, nomad, platforms = (test_part(name) for name in PARTS)

SIZES = (1, 10, 100)
LATENCY_SECONDS = 0.05
GOAL_SECONDS = 1.0
TICKS = 5
DEADLINE_SECONDS = 60.0
IN_HOUSE = """{http: {url: URL/api, headers: {X-Api-Key: '${KEY}'},
    read: {path: '/formations/{type}', desired: /processes, running: /ready, starting: /starting, version: ETag},
    write: {path: '/formations/{type}', headers: {If-Match: '{version}'}, body: {processes: '{count}', reason: '{reason}'}}}}"""
SCALINGO = """{http: {url: URL, exchange: {url: URL/v1/tokens/exchange, password: '${TOKEN}', every: 50m},
    read: {path: /v1/apps/shop/containers, items: /containers, desired: /amount},
    processes: {path: /v1/apps/shop/ps, items: /containers, type: /type, number: /type_index, states: {running: running, booting: starting}},
    write: {method: POST, path: /v1/apps/shop/scale, body: {containers: '{each}'}, each: {name: '{type}', amount: '{count}'}}}}"""


@dataclass(frozen=True, slots=True)
class _Cluster:
    """A made-up API, and the configuration that reaches it."""

    stub: Any  # of the tests, which have no types
    backend: str
    environment: dict[str, str]


@contextmanager
def _heroku(names: list[str]) -> Iterator[_Cluster]:
    with heroku.heroku_stub(types=tuple(names)) as stub:
        yield _Cluster(stub, f"{{heroku: {{app: {heroku.APP}, token: '${{TOKEN}}', url: '{stub.url}'}}}}", {"TOKEN": heroku.TOKEN})


@contextmanager
def _nomad_one_job(names: list[str]) -> Iterator[_Cluster]:
    with nomad.nomad_stub() as stub:
        stub.add("shop", dict.fromkeys(names, 0))
        yield _Cluster(stub, f"{{nomad: {{job: shop, url: '{stub.url}'}}}}", {})


@contextmanager
def _nomad_many_jobs(names: list[str]) -> Iterator[_Cluster]:
    with nomad.nomad_stub() as stub:
        for name in names:
            stub.add(name, {"main": 0})
        yield _Cluster(stub, f"{{nomad: {{job: '{{type}}', group: main, url: '{stub.url}'}}}}", {})


@contextmanager
def _kubernetes(names: list[str]) -> Iterator[_Cluster]:
    with tempfile.TemporaryDirectory() as folder:
        certificates = kubernetes.make_certificates(Path(folder))
        with stubs.closing(kubernetes.KubernetesApi(certificates.server)) as stub:
            stub.checks_answers, stub.is_frozen = False, True  # it is not the stub's pace that is measured
            for name in names:
                stub.deploy(name)
            where = f"url: '{stub.url}', token: '${{TOKEN}}', ca: {certificates.ca}, namespace: shop"
            yield _Cluster(stub, f"{{kubernetes: {{{where}}}}}", {"TOKEN": kubernetes.TOKEN})


@contextmanager
def _http(platform: Any, backend: str, names: list[str]) -> Iterator[_Cluster]:  # Any: as above
    platform.formations = {name: platforms.Formation() for name in names}
    platform.versions = dict.fromkeys(names, 1)
    platform.asked = platform.requests
    with platforms.serving(platform):
        yield _Cluster(platform, backend.replace("URL", platform.url), {"KEY": "in-house-secret", "TOKEN": "tk-us-lasting"})


ENGINES: dict[str, Callable[[list[str]], AbstractContextManager[_Cluster]]] = {
    "kubernetes, a Deployment a type": _kubernetes,
    "nomad, a job a type": _nomad_many_jobs,
    "nomad, all types in one job": _nomad_one_job,
    "heroku": _heroku,
    "http, a page a type (examples/http/in-house.yaml)": lambda names: _http(platforms.InHouse(), IN_HOUSE, names),
    "http, all types in one (examples/http/scalingo.yaml)": lambda names: _http(platforms.Scalingo(), SCALINGO, names),
}


def measure() -> Table:
    """Tick over made-up APIs that take their time for every call."""
    rows = [(name, str(size), *_measure(make, size)) for name, make in ENGINES.items() for size in SIZES]
    title = f"engines: calls a tick, and seconds a tick at {LATENCY_SECONDS * 1000:g} ms a call (goal {GOAL_SECONDS:g} s at 100 types)"
    return Table(title, ("engine", "types", "calls, all change", "seconds", "calls, none changes", "seconds"), tuple(rows))


def _measure(make: Callable[[list[str]], AbstractContextManager[_Cluster]], size: int) -> tuple[str, str, str, str]:
    names = [f"type{number}" for number in range(size)]
    with tempfile.TemporaryDirectory() as folder, make(names) as cluster:
        wanted = Path(folder, "wanted")
        with _controller(cluster, names, wanted) as controller:
            _counted(cluster.stub, controller, wanted, 1)  # connects, and asks what it asks once
            _slow_down(cluster.stub)
            changing = [_counted(cluster.stub, controller, wanted, processes) for processes in (2, 3, 4)]
            settled = [_counted(cluster.stub, controller, wanted, 4) for _ in range(TICKS)]
    return *_said(changing), *_said(settled)


@contextmanager
def _controller(cluster: _Cluster, names: list[str], wanted: Path) -> Iterator[Controller]:
    policies = "policies: [{expression: {processes: wanted, readings: [wanted]}}]"
    types = "\n".join(f"  {name}: {{minimum: 0, maximum: 9, {policies}, scale_out: {{at_most: []}}}}" for name in names)
    metrics = f"metrics: {{wanted: {{file: {{path: {wanted}}}, every: 100s, max_age: 1h}}}}"
    settings = load_text(f"interval: 30s\nbackend: {cluster.backend}\n{metrics}\nformation:\n{types}\n", "bench.yaml", cluster.environment)
    backends = connect_backends(settings, {})
    try:
        yield Controller(settings, backends, clock=SystemClock(), pauses=lambda _: {}, listeners=())
    finally:
        close_backends(backends, Event())


def _slow_down(stub: Any) -> None:  # Any: as above
    if isinstance(stub, platforms.Platform):  # it answers one after the other
        stub.latency = LATENCY_SECONDS
        return
    answer = stub.answer

    def answer_later(asked: object) -> object:
        time.sleep(LATENCY_SECONDS)
        return answer(asked)

    stub.answer = answer_later


def _counted(stub: Any, controller: Controller, wanted: Path, processes: int) -> tuple[float, int]:  # Any: as above
    """Return the seconds and the calls of one tick, infinity where its changes went on beside the ticks; leave nothing under way."""
    wanted.write_text(str(processes))
    controller.poll_all()
    before, began = len(stub.asked), time.perf_counter()
    tick = controller.tick()
    seconds, calls = time.perf_counter() - began, len(stub.asked) - before
    is_late = bool(tick.errors)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while any(decision.observation.counts.desired != processes for decision in tick.decisions) or tick.errors or not tick.decisions:
        if time.monotonic() > deadline:
            raise TimeoutError(next(iter(tick.errors.values()), "the formation is not as it should be"))
        tick = controller.tick()
    return (math.inf if is_late else seconds), calls


def _said(counted: list[tuple[float, int]]) -> tuple[str, str]:
    seconds, calls = min(counted)
    return str(calls), "more than the tick waits" if math.isinf(seconds) else f"{seconds:.2f}"
