"""Read what a Kubernetes API answers: of each object the fields that count here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, TypeVar

from pydantic import BaseModel, Field, ValidationError

from autoscaler.http_client import Answer, HttpError

Count = Annotated[int, Field(ge=0)]
Labels = Mapping[str, str]


class Shape(BaseModel, strict=True):
    """A part of an object; fields that are not named here are passed over, as new releases add some."""


Read = TypeVar("Read", bound=Shape)


def read(answer: Answer, shape: type[Read]) -> Read:
    """Read an answer; raise ``HttpError`` saying what is not as it should be."""
    try:
        return shape.model_validate_json(answer.body)
    except ValidationError as error:
        answer.json()
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the top"
        raise HttpError(
            f"{answer.host} answered with no {shape.__name__} of Kubernetes: at {where}, {first['msg'][:1].lower()}{first['msg'][1:]}"
        ) from error


class Owner(Shape):
    """What an object belongs to."""

    kind: str
    name: str
    uid: str
    controller: bool = False


class Metadata(Shape):
    """The name and version of an object."""

    name: str = ""
    uid: str = ""
    resourceVersion: str = ""  # noqa: N815 - as Kubernetes writes it, here and below
    labels: Labels | None = None
    annotations: Labels | None = None
    ownerReferences: tuple[Owner, ...] = ()  # noqa: N815
    creationTimestamp: datetime | None = None  # noqa: N815
    deletionTimestamp: datetime | None = None  # noqa: N815


class Condition(Shape):
    """One thing that is true of an object, or not."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    lastTransitionTime: datetime | None = None  # noqa: N815


class Requirement(Shape):
    """One condition of a selector."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


class LabelSelector(Shape):
    """Which labels the pods of a workload have."""

    matchLabels: Labels | None = None  # noqa: N815
    matchExpressions: tuple[Requirement, ...] | None = None  # noqa: N815


class WorkloadSpec(Shape):
    """How a workload should be."""

    replicas: Count  # Kubernetes fills it in where nobody wrote it
    selector: LabelSelector = LabelSelector()
    paused: bool = False


class WorkloadStatus(Shape):
    """How a workload is."""

    replicas: Count = 0
    readyReplicas: Count = 0  # noqa: N815
    terminatingReplicas: Count = 0  # noqa: N815 - of Deployments and ReplicaSets, since release 1.33 where it is switched on
    conditions: tuple[Condition, ...] | None = None


class Deployment(Shape):
    """A Deployment, a StatefulSet or a ReplicaSet."""

    kind: str
    metadata: Metadata
    spec: WorkloadSpec
    status: WorkloadStatus = WorkloadStatus()


class ScaleSpec(Shape):
    """How many should be: left out when it is 0."""

    replicas: Count = 0


class ScaleStatus(Shape):
    """How many are, ready or not, and the labels of their pods."""

    replicas: Count = 0
    selector: str = ""


class Scale(Shape):
    """The scale of anything."""

    kind: str
    metadata: Metadata
    spec: ScaleSpec = ScaleSpec()
    status: ScaleStatus = ScaleStatus()


class Waiting(Shape):
    """Why a container does not run yet."""

    reason: str = ""
    message: str = ""


class Terminated(Shape):
    """How a container ended."""

    exitCode: int = 0  # noqa: N815
    reason: str = ""


class ContainerState(Shape):
    """What a container does."""

    waiting: Waiting | None = None
    terminated: Terminated | None = None


class Container(Shape):
    """One container of a pod."""

    restartCount: Count = 0  # noqa: N815
    state: ContainerState = ContainerState()
    lastState: ContainerState = ContainerState()  # noqa: N815


class PodSpec(Shape):
    """Where a pod runs."""

    nodeName: str = ""  # noqa: N815
    readinessGates: tuple[Mapping[str, str], ...] | None = None  # noqa: N815


class PodStatus(Shape):
    """How a pod is."""

    phase: str = ""
    reason: str = ""
    podIP: str = ""  # noqa: N815
    conditions: tuple[Condition, ...] | None = None
    containerStatuses: tuple[Container, ...] | None = None  # noqa: N815
    initContainerStatuses: tuple[Container, ...] | None = None  # noqa: N815


class Pod(Shape):
    """A process, as Kubernetes runs it."""

    metadata: Metadata
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class PageMetadata(Shape):
    """Where a list goes on."""

    continuation: str = Field("", validation_alias="continue")


class Pods(Shape):
    """A page of pods."""

    kind: str
    metadata: PageMetadata
    items: tuple[Pod, ...]


class Named(Shape):
    """Any object, by its name."""

    metadata: Metadata


class Names(Shape):
    """Objects of any resource."""

    items: tuple[Named, ...] = ()


class Target(Shape):
    """What another autoscaler scales."""

    kind: str = "Deployment"
    name: str
    apiVersion: str = ""  # noqa: N815


class RivalSpec(Shape):
    """The part of another autoscaler's configuration that counts here."""

    scaleTargetRef: Target  # noqa: N815


class Rival(Shape):
    """A HorizontalPodAutoscaler, or a ScaledObject of KEDA."""

    metadata: Metadata
    spec: RivalSpec


class Rivals(Shape):
    """All other autoscalers of a kind."""

    items: tuple[Rival, ...] = ()


class Failure(Shape):
    """What a Kubernetes API answers when it does not do what it was asked."""

    message: str = ""
    reason: str = ""
    details: Mapping[str, object] | None = None


class ReviewStatus(Shape):
    """What a review of one's own rights says."""

    allowed: bool = False


class Review(Shape):
    """A review of one's own rights."""

    status: ReviewStatus = ReviewStatus()
