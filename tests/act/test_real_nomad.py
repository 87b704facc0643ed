"""Run the backend against a real Nomad, and in the same words against the made-up one, so that these tests stay true.

For the real one set NOMAD_TEST_URL, NOMAD_TEST_TOKEN where it has ACLs (submit-job, read-job and scale-job in the namespace default),
NOMAD_TEST_CA where its authority is a private one. NOMAD_TEST_DRIVER (raw_exec, exec or docker) says what runs the tasks; by default the
first of these that a node has, where the token may list nodes (node:read), else raw_exec.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from uuid import uuid4

import pytest

from autoscaler.act.nomad import Nomad
from autoscaler.act.nomad.words import conflict_of
from autoscaler.act.remote.api import Api, Call, Server
from autoscaler.http_client import Answer
from autoscaler.model import TypeFormation
from tests.nomad_api import TOKEN, nomad_stub
from tests.remote_formation import Remote, remote

pytestmark = pytest.mark.timeout(600)
_SECOND = 1_000_000_000
_DRIVERS = ("raw_exec", "exec", "docker")
_SLEEP = {"docker": {"image": "busybox:1", "command": "sleep", "args": ["100000"]}}
_HEALTH = {"MaxParallel": 1, "HealthCheck": "task_states", "MinHealthyTime": _SECOND, "HealthyDeadline": 60 * _SECOND}


@dataclass
class Cluster:
    """A Nomad, and another hand that uses it."""

    plugin: Nomad
    api: Api
    patience_seconds: float
    pause_seconds: float  # between two looks, so that a real one is not flooded

    def ask(self, method: str, path: str, body: object = None, **query: str) -> Answer:
        return self.api.ask(Call(method=method, path=path, body=body, query=query))

    def driver(self) -> str:
        """Return what runs tasks on a node that takes any; raw_exec is off on many."""
        answer = self.ask("GET", "/v1/nodes")
        nodes = answer.json() if answer.status == HTTPStatus.OK else []
        taking = [each["Drivers"] or {} for each in nodes if (each["Status"], each["SchedulingEligibility"]) == ("ready", "eligible")]
        there = [name for name in _DRIVERS if any(drivers.get(name, {}).get("Healthy") for drivers in taking)]
        return os.environ.get("NOMAD_TEST_DRIVER") or (there or list(_DRIVERS))[0]

    def knows_tokens(self) -> bool:
        """Tell whether it refuses a token that nobody has: without ACLs it takes any."""
        call = Call(method="GET", path="/v1/job/none/scale", headers={"X-Nomad-Token": str(uuid4())})
        return self.api.ask(call).status == HTTPStatus.FORBIDDEN

    def register(self, job: str) -> None:
        driver = self.driver()
        task = {"Name": "sleep", "Driver": driver, "Config": _SLEEP.get(driver, {"command": "/bin/sleep", "args": ["100000"]})}
        task |= {"KillTimeout": _SECOND, "Resources": {"CPU": 20, "MemoryMB": 16}}
        group = {"Name": "web", "Count": 1, "Tasks": [task], "Update": {**_HEALTH, "ProgressDeadline": 120 * _SECOND}}
        answer = self.ask("POST", "/v1/jobs", {"Job": {"ID": job, "Name": job, "Type": "service", "Datacenters": ["*"], "TaskGroups": [group]}})
        assert answer.status == HTTPStatus.OK, answer.text()

    def set(self, job: str, count: int, index: int = 0) -> Answer:
        """Scale by another hand."""
        return self.ask("POST", f"/v1/job/{job}/scale", {"Count": count, "Target": {"Group": "web"}, "JobModifyIndex": index})

    def healthy(self, job: str) -> int:
        return self.ask("GET", f"/v1/job/{job}/scale").json()["TaskGroups"]["web"]["Healthy"]

    def deploys(self, job: str) -> bool:
        deployment = self.ask("GET", f"/v1/job/{job}/deployment").json()
        return isinstance(deployment, dict) and deployment["Status"] in {"initializing", "pending", "running", "blocked", "unblocking", "paused"}


@pytest.fixture(params=["made-up", pytest.param("real", marks=pytest.mark.external)])
def cluster(request, monkeypatch) -> Iterator[Cluster]:
    for name in ("NOMAD_ADDR", "NOMAD_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    if request.param == "made-up":
        with nomad_stub() as stub:
            stub.rights = {TOKEN: frozenset({"submit-job", "read-job", "scale-job"})}
            stub.health_seconds = 0.2
            stub.drivers = ("exec",)  # raw_exec is off, as by default
            yield from _connected(Nomad(job="-", url=stub.url, token=TOKEN), 10.0, 0.02)
    elif url := os.environ.get("NOMAD_TEST_URL"):
        token, authority = os.environ.get("NOMAD_TEST_TOKEN") or None, os.environ.get("NOMAD_TEST_CA") or None
        yield from _connected(Nomad(job="-", url=url, token=token, ca=authority), 90.0, 0.2)
    else:
        pytest.skip("needs a Nomad; enable with: NOMAD_TEST_URL=http://... (and NOMAD_TEST_TOKEN)")


def _connected(plugin: Nomad, patience_seconds: float, pause_seconds: float) -> Iterator[Cluster]:
    api = Api(Server(url=plugin.url, ca=plugin.ca), lambda: {"X-Nomad-Token": plugin.token} if plugin.token else {})
    yield Cluster(plugin, api, patience_seconds, pause_seconds)
    api.close()


@pytest.fixture
def shop(cluster, eventually) -> Iterator[Remote]:
    """Return the formation of a job of our own with one process, which is gone afterwards."""
    job = f"autoscaler-test-{uuid4().hex[:8]}"
    patient = _patient(eventually, cluster)
    try:
        cluster.register(job)
        with remote(cluster.plugin, patient) as made:
            made.set(job=job).connect("web", interval_seconds=12.0).wait(running=1)  # so that a call far away is waited for
            patient(lambda: not cluster.deploys(job))
            yield made
    finally:
        cluster.ask("DELETE", f"/v1/job/{job}", purge="true")
    assert cluster.ask("GET", f"/v1/job/{job}/scale").status == HTTPStatus.NOT_FOUND


def _patient(eventually: Callable[..., object], cluster: Cluster) -> Callable[..., object]:
    return lambda condition, *_: eventually(condition, cluster.patience_seconds, cluster.pause_seconds)


def scale(shop: Remote, target: int) -> TypeFormation:
    """Tell a count until it is accepted, since a deployment that is under way comes first; return what is seen right after."""
    return shop.eventually(lambda: seen if shop.scale(web=target) == {"web": None} and (seen := shop.see()).counts.desired == target else None)


def test_one_becomes_six_and_none_and_one(shop):
    for target in (6, 0, 1):
        scale(shop, target)
        assert len(shop.wait(running=target, starting=0, draining=0).processes) == target


def test_what_starts_becomes_running(shop):
    assert scale(shop, 3).counts.starting == 2
    assert [each.state for each in shop.wait(running=3).processes] == ["running"] * 3


def test_what_runs_stays_running_while_others_start(shop):
    scale(shop, 2)
    shop.wait(running=2)
    scale(shop, 4)
    lowest = []
    shop.eventually(lambda: lowest.append(shop.see().counts.running) or lowest[-1] == 4)
    assert min(lowest) == 2


def test_a_change_while_a_deployment_is_under_way_waits(shop):
    scale(shop, 2)
    errors = shop.scale(web=3)
    assert errors == {"web": None}
    scale(shop, 3)


def test_somebody_elses_change_is_seen(shop, cluster):
    for _ in range(3):
        shop.observe()
    assert cluster.set(shop.plugin.job, 2).status == HTTPStatus.OK
    assert shop.wait(desired=2, running=2).counts.running == 2


def test_somebody_elses_change_in_between_is_not_overwritten(shop, cluster):
    shop.observe()
    job = shop.plugin.job
    assert cluster.set(job, 4).status == HTTPStatus.OK
    shop.eventually(lambda: cluster.healthy(job) == 4 and not cluster.deploys(job))
    stale = cluster.set(job, 2, index=1)
    if stale.status == HTTPStatus.OK:
        pytest.skip("this Nomad is older than 1.8.3, which does not hold a change against an index")
    assert conflict_of(stale) > 1
    assert shop.scale(web=2) == {"web": "somebody else set it from 1 to 4 meanwhile; decided again at the next tick"}
    assert shop.wait(desired=4).counts.desired == 4


def test_what_is_not_there_is_named(shop):
    assert "has no task group ghost; it has web" in shop.connect("ghost", interval_seconds=12.0).error("ghost")
    elsewhere = shop.set(job="autoscaler-test-no-such-job").connect("web", interval_seconds=12.0)
    assert "there is no job autoscaler-test-no-such-job" in elsewhere.error()


def test_a_token_that_is_none_is_refused(shop, cluster):
    if not cluster.knows_tokens():
        pytest.skip("this Nomad has no ACLs, so that it takes any token")
    assert "the token" in shop.set(token=str(uuid4())).connect("web", interval_seconds=12.0).error()
