"""Every fault of an engine's API, from the controller down: nothing is scaled twice, nothing flaps, the first good answer repairs it.

What is seen is held against the table in ENGINES.md, a row each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pytest

from autoscaler.clock import SystemClock
from autoscaler.config.loading import load_text
from autoscaler.loop import Controller
from autoscaler.loop.connect import close_backends, connect_backends
from tests.api_stub import HTML, ApiStub, Reply
from tests.heroku_api import APP, heroku_stub
from tests.heroku_api import TOKEN as HEROKU_TOKEN
from tests.kubernetes_api import TOKEN as KUBERNETES_TOKEN
from tests.kubernetes_api import KubernetesApi
from tests.nomad_api import nomad_stub

_TABLE = Path(__file__).with_name("ENGINES.md")
_BEFORE, _WANTED = 1, 3
_FORMATION = f"""
interval: 8s
metrics: {{}}
formation:
  web: {{minimum: 0, maximum: 9, policies: [{{fixed: {{processes: {_WANTED}}}}}]}}
"""


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that runs one process of web."""

    name: str
    stub: ApiStub
    configuration: str
    environment: dict[str, str]
    read: str  # part of the line of a call that reads
    write: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, and where."""

    name: str
    on: str  # read or write
    way: object

    @property
    def is_asked_again(self) -> bool:
        """Tell whether the call is repeated at once, since reading twice does no harm."""
        return self.on == "read" and self.way in {"reset", "lost"}


_FAULTS = tuple(
    Fault(name, on, way)
    for on in ("read", "write")
    for name, way in (
        ("connection reset", "reset"),
        ("answer lost", "lost"),
        ("half an answer", "half"),
        ("no answer", "silent"),
        ("done, no answer", "late"),
        ("500 with HTML", Reply(500, HTML)),
        ("200 with HTML", Reply(200, HTML)),
        ("200 with other JSON", Reply(200, ["something", "else"])),
        ("401", Reply(401, {"message": "Unauthorized", "id": "unauthorized"})),
        ("429, Retry-After: 1", Reply(429, {"message": "Too many requests"}, {"Retry-After": "1"})),
        ("503, Retry-After: 1", Reply(503, {"message": "Unavailable"}, {"Retry-After": "1"})),
    )
)


@pytest.fixture
def nomad(eventually) -> Iterator[Engine]:
    with nomad_stub() as stub:
        stub.add("shop", {"web": _BEFORE})
        eventually(lambda: all(each.healthy for each in stub.allocations()))  # until then the job itself changes
        configuration = f"backend: {{nomad: {{job: shop, url: '{stub.url}', timeout: 250ms}}}}"
        yield Engine("nomad", stub, configuration, {}, "GET /v1/job/shop", "POST")


@pytest.fixture
def heroku() -> Iterator[Engine]:
    with heroku_stub(types=("web",)) as stub:
        stub.set("web", _BEFORE)
        configuration = f"backend: {{heroku: {{app: {APP}, token: '${{TOKEN}}', url: '{stub.url}', timeout: 250ms}}}}"
        yield Engine("heroku", stub, configuration, {"TOKEN": HEROKU_TOKEN}, f"GET /apps/{APP}/formation", "PATCH")


@pytest.fixture
def kubernetes(cluster: KubernetesApi, cluster_certificates) -> Engine:
    cluster.deploy("web", _BEFORE)
    where = f"url: '{cluster.url}', token: '${{TOKEN}}', ca: {cluster_certificates.ca}, namespace: shop"
    configuration = f"backend: {{kubernetes: {{{where}, timeout: 250ms}}}}"
    return Engine("kubernetes", cluster, configuration, {"TOKEN": KUBERNETES_TOKEN}, "GET /apis/apps", "PATCH")


@dataclass
class Story:
    """What a controller did and said while something was wrong."""

    targets: list[int]
    said: list[str]
    sent: int
    after: int


def _tell(engine: Engine, fault: Fault, eventually: Callable[..., object]) -> Story:
    """Run ticks until the formation is as wanted, the fault on the way."""
    settings = load_text(engine.configuration + _FORMATION, "autoscaler.yaml", engine.environment)
    backends = connect_backends(settings, {})
    controller = Controller(settings, backends, clock=SystemClock(), pauses=lambda _: {}, listeners=())
    story = Story([], [], 0, 0)

    def tick() -> bool:
        seen = controller.tick()
        story.targets += [decision.target for decision in seen.decisions]
        said = [*seen.errors.values(), *seen.happenings, *(note for each in seen.formations.values() for note in each.notes)]
        story.said += [sentence for sentence in said if sentence not in story.said]
        story.after = seen.formations["web"].counts.desired if "web" in seen.formations else -1
        return story.after == _WANTED

    try:
        engine.stub.fail(fault.way, on=engine.read if fault.on == "read" else engine.write)
        eventually(tick, 20.0, 0.05)
        for _ in range(3):
            tick()
    finally:
        close_backends(backends, Event())
    story.sent = sum(engine.write in each.line for each in engine.stub.asked)
    return story


def _row(engine: Engine, fault: Fault, story: Story) -> str:
    host = engine.stub.url.partition("//")[2]
    said = "; ".join(re.sub(r"\b\d+ s\b", "N s", sentence.replace(host, "HOST")) for sentence in story.said) or "nothing"
    return f"| {engine.name} | {fault.on} | {fault.name} | {said.replace('|', '/')} | {story.sent} | {story.after} |"


@pytest.mark.parametrize("fault", _FAULTS, ids=lambda fault: f"{fault.on}: {fault.name}")
@pytest.mark.parametrize("name", ["kubernetes", "nomad", "heroku"])
def test_a_fault_is_told_and_repaired_by_the_first_good_answer(name, fault, request, eventually):
    engine: Engine = request.getfixturevalue(name)
    story = _tell(engine, fault, eventually)
    assert set(story.targets) == {_WANTED}, "it flapped"
    assert story.said or fault.is_asked_again, "nobody heard of it"
    assert not any(secret in sentence for secret in engine.environment.values() for sentence in story.said)
    assert story.after == _WANTED
    row = _row(engine, fault, story)
    assert row in _TABLE.read_text(encoding="utf-8").splitlines(), f"ENGINES.md lacks this row:\n{row}"
