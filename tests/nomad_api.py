"""A made-up Nomad: jobs whose allocations are placed, run, become healthy and drain, held to the request types and rules of its API."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from autoscaler.act.backend import Backend
from autoscaler.act.nomad import Nomad
from autoscaler.clock import SystemClock
from autoscaler.model import ProcessType
from tests.api_stub import ApiStub, Asked, Reply, closing, now

TOKEN = "5c0ffee5-0000-4000-8000-000000000000"  # noqa: S105 - it opens nothing
SCALE_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["Target"],
    "properties": {
        "Count": {"type": ["integer", "null"]},
        "Target": {"type": "object", "additionalProperties": {"type": "string"}, "propertyNames": {"enum": ["Namespace", "Job", "Group", "Task"]}},
        "Message": {"type": "string"},
        "Error": {"type": "boolean"},
        "Meta": {"type": "object"},
        "PolicyOverride": {"type": "boolean"},
        "EnforceIndex": {"type": "boolean"},
        "JobModifyIndex": {"type": "integer", "minimum": 0},
        "Namespace": {"type": "string"},
        "Region": {"type": "string"},
        "SecretID": {"type": "string"},
    },
}
JOB_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["Job"],
    "properties": {
        "Job": {"type": "object", "required": ["ID", "TaskGroups"], "properties": {"ID": {"type": "string"}, "TaskGroups": {"type": "array"}}}
    },
}
_READ_QUERY = frozenset({"namespace", "region", "index", "wait", "stale"})
_WRITE_QUERY = frozenset({"namespace", "region", "purge"})
_SECOND = 1_000_000_000
_NEVER = "0001-01-01T00:00:00Z"


def _seconds(wait: str) -> float:
    number, unit = re.fullmatch(r"([0-9.]+)(ms|s|m)", wait).groups()
    return float(number) * {"ms": 0.001, "s": 1.0, "m": 60.0}[unit]


def time_text(epoch: float) -> str:
    """Write a time as Nomad does, with nanoseconds."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "789Z"


@dataclass(slots=True)
class Allocation:
    """One placed copy of a task group."""

    job: Job
    group: str
    number: int
    placed_at: float
    create_index: int
    modify_index: int = 0
    desired: str = "run"
    client: str = "pending"
    healthy: bool | None = None
    canary: bool = False
    started: float | None = None  # epoch seconds
    restarts: int = 0
    last_restart: float | None = None  # epoch seconds
    running_at: float = 0.0
    healthy_at: float = 0.0
    ends_at: float | None = None
    next: str = ""
    id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def is_terminal(self) -> bool:
        return self.desired in {"stop", "evict"} or self.client in {"complete", "failed", "lost"}

    def document(self) -> dict[str, object]:
        status = {"Healthy": self.healthy, "Timestamp": time_text(SystemClock().wall()), "Canary": self.canary, "ModifyIndex": self.modify_index}
        task = {
            "State": "dead" if self.client in {"complete", "failed", "lost"} else self.client,
            "Failed": self.client == "failed",
            "Restarts": self.restarts,
            "LastRestart": time_text(self.last_restart) if self.last_restart else _NEVER,
            "StartedAt": time_text(self.started) if self.started else _NEVER,
            "FinishedAt": _NEVER,
            "Events": [],
            "TaskHandle": None,
        }
        return {
            "ID": self.id,
            "EvalID": str(uuid4()),
            "Name": f"{self.job.id}.{self.group}[{self.number}]",
            "Namespace": self.job.namespace,
            "NodeID": str(uuid4()),
            "NodeName": f"node-{self.number % 2}",
            "JobID": self.job.id,
            "JobType": self.job.type,
            "JobVersion": self.job.version,
            "TaskGroup": self.group,
            "DesiredStatus": self.desired,
            "DesiredDescription": "",
            "ClientStatus": self.client,
            "ClientDescription": "",
            "DesiredTransition": {"Migrate": None, "Reschedule": None, "ForceReschedule": None},
            "TaskStates": {"sleep": task} if self.started or self.restarts else None,
            "DeploymentStatus": status if self.healthy is not None or self.canary else None,
            "FollowupEvalID": "",
            "NextAllocation": self.next,
            "RescheduleTracker": None,
            "PreemptedAllocations": None,
            "PreemptedByAllocation": "",
            "CreateIndex": self.create_index,
            "ModifyIndex": self.modify_index,
            "CreateTime": int(SystemClock().wall() * _SECOND),
            "ModifyTime": int(SystemClock().wall() * _SECOND),
        }


@dataclass(slots=True)
class Group:
    count: int
    minimum: int | None = None
    maximum: int | None = None
    events: list[dict[str, object]] = field(default_factory=list)


@dataclass(slots=True)
class Job:
    id: str
    namespace: str
    groups: dict[str, Group]
    type: str = "service"
    create_index: int = 0
    modify_index: int = 0  # also moves with the status
    job_modify_index: int = 0  # moves with the specification alone
    events_index: int = 0
    version: int = 0
    is_stopped: bool = False
    has_update: bool = False  # whether each change is a deployment, which blocks the next one until it is healthy
    is_running: bool = False
    deploys: bool = False
    allocations: list[Allocation] = field(default_factory=list)

    @property
    def live(self) -> list[Allocation]:
        return [each for each in self.allocations if not each.is_terminal]


class _Refused(Exception):  # noqa: N818 - it is an answer
    def __init__(self, status: int, text: str) -> None:
        self.reply = Reply(status, text)


class NomadStub(ApiStub):
    """One region with one server and as much room as is asked for."""

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        self.jobs: dict[tuple[str, str], Job] = {}
        self.index = 10
        self.allocations_index = 10
        self.rights: Mapping[str, frozenset[str]] | None = None  # capabilities by token; None: no access control
        self.checks_index = True  # False: as Nomad before 1.8.3
        self.drivers = ("raw_exec", "exec")  # that its node has
        self.room = 10_000  # allocations that can be placed
        self.most = 50_000  # job_max_count
        self.place_seconds = 0.0
        self.start_seconds = 0.01
        self.health_seconds = 0.02
        self.drain_seconds = 0.0
        self.before_write: Callable[[], None] = lambda: None  # what another hand does between a look and a write
        super().__init__(certificate)

    def add(self, name: str, groups: Mapping[str, int], *, namespace: str = "default", **fields: object) -> Job:
        """Register a job with so many of each group."""
        with self.lock:
            self.index += 1
            job = Job(name, namespace, {group: Group(count) for group, count in groups.items()}, **fields)
            job.create_index = job.modify_index = job.job_modify_index = self.index
            job.deploys = job.has_update
            self.jobs[namespace, name] = job
            self._place(job)
            return job

    def set(self, job: Job, group: str, count: int) -> None:
        """Scale by another hand."""
        with self.lock:
            self._change(job, group, count)

    def allocations(self, name: str = "shop", namespace: str = "default") -> list[Allocation]:
        """Return what became of a job's allocations by now."""
        with self.lock:
            self._pass_time()
            return self.jobs[namespace, name].allocations

    def start(self, job: Job, group: str, number: int, **fields: object) -> Allocation:
        """Place one more allocation."""
        with self.lock:
            made = self._start(job, group, number)
            for key, value in fields.items():
                setattr(made, key, value)
            return made

    def stop(self, job: Job) -> None:
        """Stop a job as an operator does."""
        with self.lock:
            job.is_stopped = True
            self._place(job)
            self.touch(job)

    def touch(self, job: Job) -> None:
        """Move the job's status on, which is no change of what should run."""
        with self.lock:
            self.index += 1
            job.modify_index = self.index
            self.lock.notify_all()

    def status(self, job: Job) -> object:
        """Return what is answered of a job now."""
        with self.lock:
            return self._status(job)[1].body

    def writes(self) -> list[dict[str, object]]:
        """Return the bodies of all changes asked for so far."""
        return [each.json() for each in list(self.asked) if each.method == "POST" and each.path.endswith("/scale")]

    def answer(self, asked: Asked) -> Reply:
        try:
            with self.lock:
                self._pass_time()
                return self._route(asked)
        except _Refused as refused:
            return refused.reply

    def _route(self, asked: Asked) -> Reply:
        namespace = asked.query.get("namespace", "default")
        match asked.method, asked.segments:
            case "GET", ["v1", "nodes"]:
                self.check(asked, {}, _READ_QUERY)
                return Reply(200, [self._node()])
            case "GET", ["v1", "job", name, what]:
                return self._read(asked, self.jobs.get((namespace, name)), what)
            case (("POST" | "PUT"), ["v1", "job", name, "scale"]):
                self.check(asked, SCALE_SCHEMA, _WRITE_QUERY)
                self._require(asked, {"scale-job", "submit-job"})
                self.before_write()
                return self._scale(name, self.jobs.get((namespace, name)), asked.json())
            case (("POST" | "PUT"), ["v1", "jobs"]):
                self.check(asked, JOB_SCHEMA, _WRITE_QUERY)
                self._require(asked, {"submit-job"})
                return self._register(asked.json()["Job"], namespace)
            case "DELETE", ["v1", "job", name]:
                self.check(asked, {}, _WRITE_QUERY)
                self._require(asked, {"submit-job"})
                self.jobs.pop((namespace, name), None)
                return self._written(0)
        return self._unknown(asked)

    def _node(self) -> dict[str, object]:
        drivers = {name: {"Attributes": {}, "Detected": True, "Healthy": True, "HealthDescription": "Healthy"} for name in self.drivers}
        return {"ID": str(uuid4()), "Name": "node-0", "Status": "ready", "SchedulingEligibility": "eligible", "Drivers": drivers}

    def _read(self, asked: Asked, job: Job | None, what: str) -> Reply:
        self.check(asked, {}, _READ_QUERY)
        self._require(asked, {"read-job", "read-job-scaling"} if what == "scale" else {"read-job"})
        key = (job.namespace, job.id) if job else ("", "")
        match what:
            case "scale":
                return self._blocking(asked, lambda: self._status(self.jobs.get(key)))
            case "allocations":
                return self._blocking(asked, lambda: self._list(self.jobs.get(key)))
            case "deployment":
                return Reply(200, {"Status": "running" if job.deploys else "successful"} if job and job.has_update else None)
        return self._unknown(asked)

    def _unknown(self, asked: Asked) -> Reply:
        self.broken.append(f"{asked.line}: there is no such call")
        return Reply(404)

    def _require(self, asked: Asked, capabilities: set[str]) -> None:
        if "authorization" in asked.headers:
            self.broken.append(f"{asked.line}: has a token that is not in X-Nomad-Token")
        if self.rights is None:
            return
        token = asked.headers.get("x-nomad-token")
        if token and token not in self.rights:
            raise _Refused(403, "ACL token not found")
        if not self.rights.get(token or "", frozenset()) & capabilities:
            raise _Refused(403, "Permission denied")

    def _blocking(self, asked: Asked, read: Callable[[], tuple[int, Reply]]) -> Reply:
        """Answer once the index is beyond the one that was sent, or when the wait is over."""
        least = int(asked.query.get("index", "0"))
        until = now() + _seconds(asked.query.get("wait", "5m"))
        index, reply = read()
        while least and index <= least and now() < until and not self.is_closed.is_set():
            self.lock.wait(0.005)
            self._pass_time()
            index, reply = read()
        return Reply(reply.status, reply.body, {"X-Nomad-Index": str(index), "X-Nomad-LastContact": "0", "X-Nomad-KnownLeader": "true"})

    def _status(self, job: Job | None) -> tuple[int, Reply]:
        if job is None:
            return self.index, Reply(404, "job not found")
        groups = {
            name: {
                "Desired": group.count,
                "Placed": len(live := [each for each in job.live if each.group == name and not each.canary]),
                "Running": sum(each.client == "running" for each in live),
                "Healthy": sum(each.healthy is True for each in live),
                "Unhealthy": sum(each.healthy is False for each in live),
                "Events": group.events or None,
            }
            for name, group in job.groups.items()
        }
        document = {
            "JobID": job.id,
            "Namespace": job.namespace,
            "JobCreateIndex": job.create_index,
            "JobModifyIndex": job.modify_index,  # as in Nomad, which shows here the index that moves with the status
            "JobStopped": job.is_stopped,
            "TaskGroups": groups,
        }
        return max([job.modify_index, job.events_index, *(each.modify_index for each in job.live)]), Reply(200, document)

    def _list(self, job: Job | None) -> tuple[int, Reply]:
        return self.allocations_index, Reply(200, [each.document() for each in job.allocations] if job else [])

    def _scale(self, name: str, job: Job | None, body: dict[str, object]) -> Reply:
        target, count = body["Target"], body.get("Count")
        refusal = self._refuse_request(name, job, body) or self._refuse_count(job, job.groups[target["Group"]], count)
        if refusal:
            raise _Refused(*refusal)
        group = job.groups[target["Group"]]
        if count is None:
            return self._written(job.modify_index)
        self._enforce(job, int(body.get("JobModifyIndex", 0)))
        event = {"Count": count, "PreviousCount": group.count, "Error": False, "Message": body.get("Message", ""), "Meta": body.get("Meta")}
        self._change(job, target["Group"], count)
        group.events.insert(0, {**event, "EvalID": str(uuid4()), "Time": 0, "CreateIndex": self.index})
        return self._written(job.job_modify_index)

    def _refuse_request(self, name: str, job: Job | None, body: dict[str, object]) -> tuple[int, str] | None:
        target, count = body["Target"], body.get("Count")
        rules = (
            (target.get("Job", name) != name, 400, "job ID in payload did not match URL"),
            (not target.get("Group"), 400, "missing task group name for scaling action"),
            (count is not None and count < 0, 400, "scaling action count can't be negative"),
            (count is not None and body.get("Error"), 400, "scaling action should not contain count if error is true"),
            (job is None, 404, f'job "{name}" not found'),
            (job and job.type == "system", 400, 'cannot scale jobs of type "system"'),
            (job and target.get("Group") not in job.groups, 400, f'task group "{target.get("Group")}" specified for scaling does not exist in job'),
        )
        return next(((status, text) for holds, status, text in rules if holds), None)

    def _refuse_count(self, job: Job, group: Group, count: int | None) -> tuple[int, str] | None:
        if count is None:
            return None
        total = sum(each.count for each in job.groups.values()) - group.count + count
        least, most = group.minimum or 0, self.most if group.maximum is None else group.maximum
        rules = (
            (count < least, 400, f"group count was less than scaling policy minimum: {count} < {least}"),
            (group.maximum is not None and count > most, 400, f"group count was greater than scaling policy maximum: {count} > {most}"),
            (job.deploys, 400, "job scaling blocked due to active deployment"),
            (total > self.most, 500, f"job total count was greater than configured job_max_count: {total} > {self.most}"),
        )
        return next(((status, text) for holds, status, text in rules if holds), None)

    def _enforce(self, job: Job, index: int) -> None:
        if index and self.checks_index and index != job.job_modify_index:
            said = f"Enforcing job modify index {index}: job exists with conflicting job modify index: {job.job_modify_index}"
            raise _Refused(500, said)

    def _register(self, specification: dict[str, object], namespace: str) -> Reply:
        groups = {str(group["Name"]): int(group.get("Count", 1)) for group in specification["TaskGroups"]}
        lacking = {str(task["Driver"]) for group in specification["TaskGroups"] for task in group["Tasks"]} - set(self.drivers)
        self.room = 0 if lacking else self.room  # no node has the driver, so that nothing is placed
        job = self.add(str(specification["ID"]), groups, namespace=namespace, has_update=specification.get("Type", "service") == "service")
        return self._written(job.job_modify_index)

    def _written(self, job_modify_index: int) -> Reply:
        document = {"EvalID": str(uuid4()), "EvalCreateIndex": self.index, "JobModifyIndex": job_modify_index, "Warnings": "", "Index": self.index}
        return Reply(200, {**document, "LastContact": 0, "KnownLeader": False, "NextToken": ""}, {"X-Nomad-Index": str(self.index)})

    def _change(self, job: Job, group: str, count: int) -> None:
        self.index += 1
        job.groups[group].count = count
        job.version += 1
        job.modify_index = job.job_modify_index = job.events_index = self.index
        job.deploys = job.has_update
        if job.has_update:
            for each in job.live:  # an update in place, by which Nomad forgets who is healthy
                each.healthy, each.healthy_at = None, now() + self.health_seconds
                self._moved(each)
        self._place(job)
        self.lock.notify_all()

    def _place(self, job: Job) -> None:
        """Be the scheduler: stop the highest numbers, and place the lowest that are free."""
        for name, group in job.groups.items():
            live = sorted((each for each in job.live if each.group == name and not each.canary), key=lambda each: each.number)
            for each in live[group.count :] if not job.is_stopped else live:
                each.desired, each.ends_at = "stop", now() + self.drain_seconds
                self._moved(each)
            if job.is_stopped:
                continue
            taken = {each.number for each in live}
            for number in [number for number in range(group.count) if number not in taken][: group.count - len(live)]:
                if sum(len(each.live) for each in self.jobs.values()) < self.room:
                    self._start(job, name, number)

    def _start(self, job: Job, group: str, number: int) -> Allocation:
        made = Allocation(job, group, number, placed_at=now() + self.place_seconds, create_index=self.index + 1)
        made.running_at = made.placed_at + self.start_seconds
        job.allocations.append(made)
        self._moved(made)
        return made

    def _moved(self, allocation: Allocation) -> None:
        self.index += 1
        allocation.modify_index = self.allocations_index = self.index
        self.lock.notify_all()

    def _pass_time(self) -> None:
        for job in list(self.jobs.values()):
            for each in job.allocations:
                self._age(job, each)
            if job.deploys and all(each.healthy for each in job.live):
                job.deploys = False
                self.touch(job)

    def _age(self, job: Job, each: Allocation) -> None:
        if each.desired == "stop" and each.client in {"pending", "running"} and each.ends_at is not None and now() >= each.ends_at:
            each.client = "complete"
            self._moved(each)
        elif each.desired == "run" and each.client == "pending" and not each.restarts and now() >= each.running_at:
            each.client, each.started = "running", SystemClock().wall()
            each.healthy_at = now() + self.health_seconds
            self._moved(each)
            if not job.is_running:
                job.is_running = True
                self.touch(job)
        elif each.client == "running" and each.healthy is None and job.type == "service" and now() >= each.healthy_at:
            each.healthy = True
            self._moved(each)


@contextmanager
def nomad_stub(**options: object) -> Iterator[NomadStub]:
    """Serve a made-up Nomad; fail at the end when it was asked for what Nomad does not take."""
    with closing(NomadStub(**options)) as stub:
        yield stub


@pytest.fixture
def connect_nomad(monkeypatch):
    """Return how to connect the backend for a web and a job type."""
    for name in ("NOMAD_ADDR", "NOMAD_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    types = tuple(ProcessType(name=name, minimum=0, maximum=10) for name in ("web", "job"))
    with nomad_stub() as stub:
        for each in types:
            stub.add(f"shop-{each.name}", {each.name: 0})

        def connect() -> Backend:
            return Nomad(url=stub.url, job="shop-{type}").connect(types, None)

        yield connect
