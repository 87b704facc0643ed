from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest

from autoscaler.clock import VirtualClock
from autoscaler.decide.settings import NamedPolicy, TypeSettings
from autoscaler.events import BoardEntry, Tick
from autoscaler.model import (
    Abstain,
    Address,
    Adjustment,
    Counts,
    Decision,
    Missing,
    Observation,
    PolicyAnswer,
    ProcessType,
    Reading,
    Recommendation,
    TypeFormation,
)
from autoscaler.observe.metric import MetricSettings
from autoscaler.serve import http
from autoscaler.serve.http import Server
from autoscaler.serve.site import Site
from autoscaler.settings import Listen, Settings

NOW, AT = 5021.25, 1763800000.0
LOOPBACK = Address("127.0.0.1", 0)


class Fixed:
    """A policy and a source that are never asked here."""

    recommend = read = None


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class Client:
    """Asks one server; every question has a connection of its own."""

    address: Address
    headers: Mapping[str, str] = field(default_factory=dict)
    context: object = None

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        plain = HTTPConnection(self.address.host, self.address.port, timeout=20)
        connection = HTTPSConnection(self.address.host, self.address.port, timeout=20, context=self.context) if self.context else plain
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()


def decide(name: str = "worker", **changes: object) -> Decision:
    observation = Observation(
        now=NOW,
        at=AT,
        process_type=ProcessType(name=name, minimum=0, maximum=40),
        counts=Counts(desired=2, running=2),
        readings={"jobs_waiting": Reading("jobs_waiting", 700.0, 5020.85)},
        startup_seconds=4.0,
    )
    given: dict[str, object] = {
        "answers": (
            PolicyAnswer("backlog", Recommendation(5, "700 waiting")),
            PolicyAnswer("target", Missing("requests_per_second", "connection refused")),
            PolicyAnswer("calendar", Abstain("out of its window")),
        ),
        "adjustments": (Adjustment("rate_limit", 5, 4, "2 more are the most in 15 s"),),
        "target": 4,
        "action": "scale_out",
        "reason": "700 waiting",
    }
    return Decision(observation, **{**given, **changes})


def tick_of(*decisions: Decision, **changes: object) -> Tick:
    formation = TypeFormation(Counts(desired=2, running=2, draining=1), startup_seconds=3.5, starts=7, drains_killed=1)
    given: dict[str, object] = {
        "now": NOW,
        "at": AT,
        "decisions": decisions,
        "formations": {decision.observation.process_type.name: formation for decision in decisions},
        "board": {
            "jobs_waiting": BoardEntry(Reading("jobs_waiting", 700.0, 5020.85), None),
            "requests_per_second": BoardEntry(None, "connection refused", 3),
        },
        "reactions": {decision.observation.process_type.name: 0.4 for decision in decisions if decision.action == "scale_out"},
        "limits": {decision.observation.process_type.name: (0, 40) for decision in decisions},
        "duration_seconds": 0.002,
        "is_complete": True,
    }
    return Tick(**{**given, **changes})


@pytest.fixture
def make_decision() -> Callable[..., Decision]:
    return decide


@pytest.fixture
def make_tick() -> Callable[..., Tick]:
    """Make a tick; without decisions it has the one of ``worker``."""
    return lambda *decisions, **changes: tick_of(*decisions or (decide(),), **changes)


@pytest.fixture
def settings() -> Settings:
    worker = TypeSettings(process_type=ProcessType(name="worker", minimum=0, maximum=40), policies=(NamedPolicy("backlog", Fixed()),))
    metrics = tuple(MetricSettings(name=name, source=Fixed()) for name in ("jobs_waiting", "requests_per_second"))
    return Settings(path=Path("/srv/app/autoscaler.yaml"), interval_seconds=5.0, backends={}, types=(worker,), metrics=metrics)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(now=NOW, wall=AT)


@pytest.fixture
def site(settings, clock) -> Site:
    return Site(settings, clock)


@pytest.fixture
def serve(site, monkeypatch) -> Iterator[Callable[..., Address]]:
    """Start servers of the site on loopback; ``serve(token=...)`` returns the bound address."""
    monkeypatch.setattr(http, "_LOOK_SECONDS", 0.02)
    servers: list[Server] = []

    def start(**listen: object) -> Address:
        servers.append(Server(Listen(**{"address": LOOPBACK, **listen}), site))
        return servers[-1].start()

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def client(serve) -> Client:
    return Client(serve())


@pytest.fixture
def make_client() -> type[Client]:
    return Client


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> tuple[Path, Path]:
    """A self-signed certificate of 127.0.0.1 and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key
