"""The shapes of Nomad's API, as far as they are used."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter
from pydantic.alias_generators import to_pascal

from autoscaler.http_client import Answer

Count = Annotated[int, Field(ge=0)]


class _Shape(BaseModel, alias_generator=to_pascal):
    pass


class GroupStatus(_Shape):
    """How many allocations of a task group there are; ``placed`` are those that neither ended nor were told to stop."""

    desired: Count
    placed: Count
    running: Count
    unhealthy: Count = 0


class ScaleStatus(_Shape):
    """What ``/v1/job/JOB/scale`` says. Its index moves with the job's status too, so the one that a write is held against is this or lower."""

    job_modify_index: Count
    job_stopped: bool
    task_groups: dict[str, GroupStatus]


class TaskState(_Shape):
    """How one task of an allocation goes."""

    state: str = ""
    restarts: Count = 0
    last_restart: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class DeploymentStatus(_Shape):
    """Whether an allocation became healthy; Nomad forgets it at each update of the job in place."""

    healthy: bool | None = None
    canary: bool = False


class Allocation(_Shape):
    """One placed copy of a task group."""

    id: Annotated[str, Field(alias="ID")]
    name: str
    node_name: str = ""
    job_type: str = ""
    task_group: str
    desired_status: str
    client_status: str
    task_states: dict[str, TaskState] | None = None
    deployment_status: DeploymentStatus | None = None
    next_allocation: str = ""
    create_index: Count


class Written(_Shape):
    """What a change answers."""

    job_modify_index: Count


STATUS = TypeAdapter(ScaleStatus)
ALLOCATIONS = TypeAdapter(list[Allocation])
WRITTEN = TypeAdapter(Written)


def index_of(answer: Answer) -> int:
    """Return the index that a blocking query continues from, 0 where there is none."""
    index = answer.headers.get("x-nomad-index", "")
    return int(index) if index.isdecimal() else 0
