"""Read what a manager of a swarm answers: of each object the fields that count here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_pascal

from autoscaler.http_client import Answer, HttpError

_ENDED = frozenset({"complete", "shutdown", "failed", "rejected", "remove", "orphaned"})
_LEAVING = frozenset({"shutdown", "remove"})
_NANOSECONDS = 1e9
_RESTART_DELAY_SECONDS = 5.0  # of a service that says none


class _Shape(BaseModel):
    """A part of an object; fields that are not named here are passed over."""

    model_config = ConfigDict(frozen=True, alias_generator=to_pascal)


class _Replicated(_Shape):
    replicas: int | None = None


class _Mode(_Shape):
    replicated: _Replicated | None = None


class _UpdateConfig(_Shape):
    failure_action: str = "pause"


class Spec(_Shape):
    """What somebody wants of a service."""

    name: str
    mode: _Mode
    update_config: _UpdateConfig | None = None


class _UpdateStatus(_Shape):
    state: str = ""
    message: str = ""


class _Version(_Shape):
    index: int


class Service(_Shape):
    """A service; ``raw_spec`` is its whole specification as it was received."""

    id: str = Field(alias="ID")
    version: _Version
    spec: Spec
    raw_spec: Mapping[str, object] = Field(alias="Spec")
    update_status: _UpdateStatus | None = None

    @property
    def update_state(self) -> str:
        """Return how far the last rolling update is: updating, paused, rollback_paused and so on; empty when there was none."""
        return self.update_status.state if self.update_status else ""

    @property
    def mode(self) -> str:
        """Return the mode as the docker command writes it: replicated, global, replicated-job, global-job."""
        mode = next(iter(_as_mapping(self.raw_spec.get("Mode"))), "none")
        return mode.replace("Job", "-job").lower()

    @property
    def is_replicated(self) -> bool:
        """Tell whether it has a number of processes, unlike one that runs on every node, or to an end."""
        return self.spec.mode.replicated is not None

    @property
    def desired(self) -> int:
        """Return how many processes somebody wants; 0 where there is no such number."""
        replicated = self.spec.mode.replicated
        return 0 if replicated is None else 1 if replicated.replicas is None else replicated.replicas

    def with_replicas(self, count: int) -> dict[str, object]:
        """Return the whole specification with another number of processes, all else as it was received."""
        mode = _as_mapping(self.raw_spec["Mode"])
        return {**self.raw_spec, "Mode": {**mode, "Replicated": {**_as_mapping(mode["Replicated"]), "Replicas": count}}}


class _Status(_Shape):
    timestamp: datetime
    state: str
    err: str = ""


class Task(_Shape):
    """One run of a process in a slot; a process that ended is replaced by another task in its slot."""

    id: str = Field(alias="ID")
    service_id: str = Field(alias="ServiceID")
    slot: int = 0
    node_id: str = Field("", alias="NodeID")
    status: _Status
    desired_state: str
    created_at: datetime
    spec: Mapping[str, object] = {}

    @property
    def state(self) -> str:
        """Return what its node said of it last."""
        return self.status.state

    @property
    def has_ended(self) -> bool:
        """Tell whether nothing of it runs any more."""
        return self.state in _ENDED

    @property
    def is_wanted(self) -> bool:
        """Tell whether it runs or is to run, and nobody wants it to end."""
        return not self.has_ended and self.desired_state not in _LEAVING

    @property
    def is_draining(self) -> bool:
        """Tell whether it runs, and is to end."""
        return self.desired_state in _LEAVING and self.state in {"starting", "running"}

    @property
    def lived_seconds(self) -> float:
        """Return the seconds from when it was made to when its state changed last."""
        return (self.status.timestamp - self.created_at).total_seconds()

    @property
    def restart_delay_seconds(self) -> float:
        """Return the seconds that Swarm lets pass between an end and the next start in the slot."""
        policy = self.spec.get("RestartPolicy")
        delay = policy.get("Delay") if isinstance(policy, Mapping) else None
        return delay / _NANOSECONDS if isinstance(delay, int) else _RESTART_DELAY_SECONDS


class _Description(_Shape):
    hostname: str = ""


class _NodeStatus(_Shape):
    state: str = "unknown"


class Node(_Shape):
    """A machine of the swarm."""

    id: str = Field(alias="ID")
    description: _Description = _Description()
    status: _NodeStatus = _NodeStatus()

    @property
    def is_lost(self) -> bool:
        """Tell whether it does not answer; for a moment after a change of the leading manager, that is not known of any."""
        return self.status.state in {"down", "disconnected"}


SERVICES, TASKS, NODES = TypeAdapter(tuple[Service, ...]), TypeAdapter(tuple[Task, ...]), TypeAdapter(tuple[Node, ...])
SERVICE = TypeAdapter(Service)
Read = TypeVar("Read")


def read(answer: Answer, shape: TypeAdapter[Read], what: str) -> Read:
    """Read an answer; raise ``HttpError`` saying what is not as it should be."""
    try:
        return shape.validate_python(answer.json())
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = "/".join(str(part) for part in first["loc"]) or "the top"
        raise HttpError(f"{answer.host} answered with no {what} of Docker Swarm: at {where}, {first['msg'][:1].lower()}{first['msg'][1:]}") from error


def _as_mapping(part: object) -> Mapping[str, object]:
    return part if isinstance(part, Mapping) else {}
