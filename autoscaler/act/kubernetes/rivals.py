"""Find other autoscalers that scale the same workload, for two controllers of one count fight."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus

from autoscaler.act.kubernetes.client import Client, RefusedError
from autoscaler.act.kubernetes.shapes import Rival, Rivals
from autoscaler.act.kubernetes.workload import Workload
from autoscaler.act.remote.api import quoted
from autoscaler.http_client import HttpError

_EVERY_SECONDS = 300.0
_HORIZONTAL = "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers"
_KEDA = "/apis/keda.sh/v1alpha1/namespaces/{}/scaledobjects"  # not there where KEDA is not installed
_PAUSED = ("autoscaling.keda.sh/paused", "autoscaling.keda.sh/paused-replicas")


class RivalWatch:
    """Looks for rivals every five minutes, as far as the rights go; without them nothing is said."""

    def __init__(self, client: Client, now: Callable[[], float]) -> None:
        """Look by ``client``."""
        self._client = client
        self._now = now
        self._looked: float | None = None
        self._listed: dict[str, tuple[Rival, ...]] = {}  # by path, as last answered
        self._found: dict[tuple[str, str], str] = {}  # by group and kind in small letters, and name

    def refresh(self) -> None:
        """Look again if it is time to; what cannot be seen is left out."""
        now = self._now()
        if self._looked is not None and now - self._looked < _EVERY_SECONDS:
            return
        self._looked = now
        horizontal = {_target(each): f"HorizontalPodAutoscaler {each.metadata.name}" for each in self._list(_HORIZONTAL)}
        keda = {_target(each): f"ScaledObject {each.metadata.name} of KEDA" for each in self._list(_KEDA) if not _is_paused(each)}
        self._found = horizontal | keda  # KEDA works by a HorizontalPodAutoscaler of its own, which would come back

    def note(self, workload: Workload) -> Iterator[str]:
        """Yield a sentence on who else scales a workload."""
        rival = self._found.get((f"{workload.group}/{(workload.kind or '').lower()}" if workload.kind else workload.group, workload.name))
        if rival:
            yield f"{rival} also scales {workload}; two controllers of one count fight: delete one of them"

    def _list(self, path: str) -> tuple[Rival, ...]:
        try:
            self._listed[path] = self._client.get(Rivals, path.format(quoted(self._client.namespace)), {"limit": "500"}).items
        except RefusedError as error:
            if error.status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
                self._listed.pop(path, None)
        except HttpError:
            pass  # what was seen before still holds as far as is known
        return self._listed.get(path, ())


def _target(rival: Rival) -> tuple[str, str]:
    target = rival.spec.scaleTargetRef
    group = target.apiVersion.rpartition("/")[0] or "apps"
    return (f"{group}/{target.kind.lower()}" if group == "apps" else group, target.name)


def _is_paused(rival: Rival) -> bool:
    annotations = rival.metadata.annotations or {}
    return annotations.get(_PAUSED[0], "false").lower() != "false" or _PAUSED[1] in annotations
