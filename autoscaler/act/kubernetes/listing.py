"""List pods, and tell which workload each belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus

from autoscaler.act.kubernetes.client import Client, RefusedError
from autoscaler.act.kubernetes.pods import is_over
from autoscaler.act.kubernetes.reading import Reading
from autoscaler.act.kubernetes.shapes import Owner, Pod, Pods
from autoscaler.act.kubernetes.workload import Workload
from autoscaler.act.remote.api import quoted
from autoscaler.http_client import HttpError

_PAGE = 250  # pods in one answer, of some 10 to 30 kB each
_MOST_PAGES = 40
_HASH = "pod-template-hash"  # by which a Deployment names its ReplicaSets
_OWNERS = {"Deployment": "ReplicaSet", "StatefulSet": "StatefulSet", "ReplicaSet": "ReplicaSet"}


def list_pods(client: Client, selector: str) -> tuple[Pod, ...]:
    """Return all pods that a selector selects; raise ``HttpError`` when they are not known.

    The list is as new as the API can tell. One with ``resourceVersion=0`` might be older than the workload that was read before it,
    and comes without pages; since release 1.31 it is no cheaper any more (KEP-2340).
    """
    try:
        return tuple(_pages(client, selector))
    except RefusedError as error:
        if error.status != HTTPStatus.GONE:
            raise
    return tuple(_pages(client, selector))  # what was left of the list had become too old


def pods_of(reading: Reading, pods: tuple[Pod, ...]) -> tuple[Pod, ...]:
    """Return the pods of a workload, without those that have ended for good.

    Other Deployments may have pods with the same labels, such as a canary: theirs belong to ReplicaSets with other names. One whose
    ReplicaSets all have other names has adopted them.
    """
    selected = tuple(pod for pod in pods if _belongs(pod, reading) and not is_over(pod))
    own = tuple(pod for pod in selected if _is_named_after(pod, reading.workload))
    return own if own or not reading.counts.desired else selected


def _pages(client: Client, selector: str) -> Iterator[Pod]:
    path = f"/api/v1/namespaces/{quoted(client.namespace)}/pods"
    query: dict[str, str] = {"labelSelector": selector, "limit": str(_PAGE)}
    for _ in range(_MOST_PAGES):
        page = client.get(Pods, path, query)
        if page.kind != "PodList":
            raise HttpError(f"{client.host} answered with a {page.kind} in place of a list of pods")
        yield from page.items
        if not page.metadata.continuation:
            return
        query = {**query, "continue": page.metadata.continuation}
    raise HttpError(f"{client.host} has more than {_PAGE * _MOST_PAGES} pods for {selector[:100]}")


def _belongs(pod: Pod, reading: Reading) -> bool:
    labels: Mapping[str, str] = pod.metadata.labels or {}
    if reading.selector is None or not reading.selector.fits(labels):
        return False
    owner = _owner(pod)
    kind = reading.workload.kind
    if owner is None or kind is None:
        return True
    return owner.kind == _OWNERS[kind] and (kind == "Deployment" or owner.uid == reading.uid)


def _is_named_after(pod: Pod, workload: Workload) -> bool:
    owner, release = _owner(pod), (pod.metadata.labels or {}).get(_HASH)
    return workload.kind != "Deployment" or owner is None or release is None or owner.name == f"{workload.name}-{release}"


def _owner(pod: Pod) -> Owner | None:
    return next((each for each in pod.metadata.ownerReferences if each.controller), None)
