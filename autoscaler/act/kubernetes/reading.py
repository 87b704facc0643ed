"""Read one workload: its own object where the rights allow it, else its scale alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus

from autoscaler.act.kubernetes.client import Client, RefusedError
from autoscaler.act.kubernetes.missing import Explainer
from autoscaler.act.kubernetes.rights import Rights, advice
from autoscaler.act.kubernetes.selector import Selector, selector_in, selector_of
from autoscaler.act.kubernetes.shapes import Condition, Deployment, Scale
from autoscaler.act.kubernetes.workload import Workload
from autoscaler.http_client import HttpError
from autoscaler.model import Counts

_NEW_POD = re.compile(r'^pods "[^"]*" is forbidden: ')  # a new name at each try would make a new note of it
_LONGEST_WORDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What Kubernetes says of a workload, without its pods."""

    workload: Workload
    counts: Counts
    version: str
    uid: str
    selector: Selector | None
    knows_ready: bool
    notes: tuple[str, ...] = ()


class Reader:
    """Reads workloads; safe from any thread."""

    def __init__(self, client: Client, rights: Rights, now: Callable[[], float]) -> None:
        """Read by ``client``, without asking for what was refused a moment ago."""
        self._client = client
        self._rights = rights
        self._explainer = Explainer(client, now)

    def read(self, workload: Workload) -> Reading:
        """Return what it is now; raise ``HttpError`` saying why that is not known."""
        try:
            return self._read(workload)
        except RefusedError as error:
            if error.status == HTTPStatus.NOT_FOUND and (error.refusal.reason or not workload.kind):
                raise HttpError(self._explainer.explain(workload, error)) from error
            if error.refusal.is_forbidden:
                what = workload.resource if workload.kind else f"{workload.resource}/scale of {workload.group}"
                raise HttpError(f"{error}; {advice('get', what, workload.namespace)}") from error
            raise

    def _read(self, workload: Workload) -> Reading:
        if not workload.kind or not self._rights.may_try("get", workload.path):
            return self._read_scale(workload)
        try:
            return _whole(workload, self._client.get(Deployment, workload.path))
        except RefusedError as error:
            if not error.refusal.is_forbidden:
                raise
        reading = self._read_scale(workload)
        self._rights.refused("get", workload.path)  # not before: with nothing to go by, a right that comes is looked for at once
        return reading

    def _read_scale(self, workload: Workload) -> Reading:
        return _scale_alone(workload, self._client.get(Scale, f"{workload.path}/scale"))


def _whole(workload: Workload, found: Deployment) -> Reading:
    if found.kind != workload.kind:
        raise HttpError(f"{workload} was asked for, and a {found.kind} came; is that address a Kubernetes API server?")
    return Reading(
        workload=workload,
        counts=_counts(found),
        version=found.metadata.resourceVersion,
        uid=found.metadata.uid,
        selector=selector_of(found.spec.selector),
        knows_ready=True,
        notes=tuple(_notes(workload, found)),
    )


def _counts(found: Deployment) -> Counts:
    """Count by the status, which may be older than the count it is for: what is not there yet is starting, whether it was begun or not.

    Of a Deployment the status counts no pods on their way out, save in a field of its own that newer releases have; of a StatefulSet
    it counts them as well.
    """
    desired, status = found.spec.replicas, found.status
    ready = status.readyReplicas
    if found.kind == "StatefulSet":
        return Counts(desired, ready, max(0, desired - ready), max(0, status.replicas - max(desired, ready)))
    return Counts(desired, ready, max(0, max(desired, status.replicas) - ready), status.terminatingReplicas)


def _scale_alone(workload: Workload, found: Scale) -> Reading:
    """Count what exists as running, up to the count that should: which of them are ready is not known."""
    if found.kind != "Scale":
        raise HttpError(f"the scale of {workload} was asked for, and a {found.kind} came; is that address a Kubernetes API server?")
    desired = found.spec.replicas
    running = min(found.status.replicas, desired)
    return Reading(
        workload=workload,
        counts=Counts(desired, running, desired - running),
        version=found.metadata.resourceVersion,
        uid=found.metadata.uid,
        selector=selector_in(found.status.selector),
        knows_ready=False,
    )


def _notes(workload: Workload, found: Deployment) -> Iterator[str]:
    if found.spec.paused:
        yield f"{workload} is paused: its count still changes, but a new release of it does not roll out"
    for each in found.status.conditions or ():
        if each.type == "Progressing" and each.status == "False":
            yield f"the rollout of {workload} is stuck: {_words(each)}"
        if each.type == "ReplicaFailure" and each.status == "True":
            yield f"{workload} cannot start processes: {_words(each)}"


def _words(condition: Condition) -> str:
    return " ".join(_NEW_POD.sub("", condition.message).split())[:_LONGEST_WORDS] or condition.reason
