"""Have the idlest processes go first in a scale-in, by the cost that their pods carry.

A ReplicaSet deletes those that are not ready first, and of the ready ones those whose ``pod-deletion-cost`` (a 32-bit integer, 0 where
there is none) is the lowest; it asks nobody else to. Cost by somebody else is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from autoscaler.act.kubernetes.client import Client, RefusedError
from autoscaler.act.kubernetes.pods import state_of
from autoscaler.act.kubernetes.rights import Rights, advice
from autoscaler.act.kubernetes.shapes import Named, Pod
from autoscaler.act.remote.api import quoted
from autoscaler.act.remote.engine import Order
from autoscaler.http_client import HttpError
from autoscaler.model import Json
from autoscaler.parallel import side_by_side

COST = "controller.kubernetes.io/pod-deletion-cost"
OURS = "-1000000000"  # far below what anybody else writes, so that it is known again
_ASKED_EVERY_SECONDS = 300.0
_NOTED_SECONDS = 300.0
_WIDTH = 32


@dataclass(frozen=True, slots=True)
class Mark:
    """A pod's cost to set, or to take away."""

    process_type: str
    pod: str
    cost: str | None


def plan_marks(order: Order, pods: Sequence[Pod]) -> Iterator[Mark]:
    """Yield what to set so that the idlest go first: on as many as will go beyond those that are not ready, which go anyway.

    A mark that was left by a scale-in that did not happen is taken away.
    """
    loads = order.change.loads
    ready = [pod for pod in pods if state_of(pod) == "running"]
    leaving = len(ready) - order.change.target
    known = [pod for pod in ready if pod.metadata.name in loads and _cost(pod) in {None, OURS}]
    chosen = {pod.metadata.name for pod in sorted(known, key=lambda pod: loads[pod.metadata.name])[: max(0, leaving)]}
    for pod in ready:
        name = pod.metadata.name
        if name in chosen and _cost(pod) != OURS:
            yield Mark(order.name, name, OURS)
        if name not in chosen and _cost(pod) == OURS:
            yield Mark(order.name, name, None)


def is_one_release(pods: Sequence[Pod]) -> bool:
    """Tell whether one ReplicaSet owns all pods: during a rollout each of two takes its share, whatever the costs say."""
    return len({owner.uid for pod in pods for owner in pod.metadata.ownerReferences if owner.controller}) <= 1


class Marker:
    """Sets costs, as far as the rights go; what fails keeps no scale-in from happening."""

    def __init__(self, client: Client, rights: Rights, now: Callable[[], float]) -> None:
        """Set them by ``client``."""
        self._client = client
        self._rights = rights
        self._now = now
        self._asked: float | None = None
        self._failures: dict[str, tuple[float, str]] = {}
        self.may_mark = False  # as far as Kubernetes has said

    def refresh(self) -> None:
        """Ask whether pods may be changed, if it is time to."""
        is_known = self._asked is not None and self._now() - self._asked < _ASKED_EVERY_SECONDS
        if is_known or not self._rights.may_try("patch", "pods"):
            return
        try:
            self.may_mark = self._client.may("patch", "pods")
        except HttpError:
            self.may_mark = False
        if self.may_mark:
            self._asked = self._now()
        else:
            self._forbid()

    def mark(self, marks: Sequence[Mark]) -> None:
        """Set costs, side by side, each once."""
        for name in {mark.process_type for mark in marks}:
            self._failures.pop(name, None)
        side_by_side([partial(self._set, mark) for mark in marks], _WIDTH)

    def note(self, process_type: str) -> Iterator[str]:
        """Yield why the idlest did not go first in the last scale-in of a type."""
        at, sentence = self._failures.get(process_type, (0.0, ""))
        if sentence and self._now() - at < _NOTED_SECONDS:
            yield f"{process_type}: the idlest processes could not be made to go first: {sentence}"

    def _set(self, mark: Mark) -> None:
        if not self.may_mark:
            return
        annotations: Mapping[str, Json] = {COST: mark.cost}
        path = f"/api/v1/namespaces/{quoted(self._client.namespace)}/pods/{quoted(mark.pod)}"
        try:
            self._client.patch(Named, path, {"metadata": {"annotations": dict(annotations)}})
        except RefusedError as error:
            if error.refusal.lacks_right:
                self._forbid()
                self._failures[mark.process_type] = self._now(), f"{error}; {advice('patch', 'pods', self._client.namespace)}"
            elif error.status != HTTPStatus.NOT_FOUND:
                self._failures[mark.process_type] = self._now(), str(error)
        except HttpError as error:
            self._failures[mark.process_type] = self._now(), str(error)

    def _forbid(self) -> None:
        self.may_mark, self._asked = False, None
        self._rights.refused("patch", "pods")


def _cost(pod: Pod) -> str | None:
    return (pod.metadata.annotations or {}).get(COST)
