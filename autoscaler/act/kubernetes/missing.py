"""Say of a workload that is not there what is wrong: its name, its namespace, or the cluster."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from http import HTTPStatus
from threading import Lock

from autoscaler.act.kubernetes.client import Client, RefusedError
from autoscaler.act.kubernetes.shapes import Named, Names
from autoscaler.act.kubernetes.workload import Workload
from autoscaler.act.remote.api import quoted
from autoscaler.http_client import HttpError

_BELIEVED_SECONDS = 60.0
_SHOWN = 5


class Explainer:
    """Looks around where a workload is missing, as far as the rights go, and at most once a minute; safe from any thread."""

    def __init__(self, client: Client, now: Callable[[], float]) -> None:
        """Look around by ``client``."""
        self._client = client
        self._now = now
        self._lock = Lock()
        self._known: dict[str, tuple[float, object]] = {}

    def explain(self, workload: Workload, error: RefusedError) -> str:
        """Say why there is no such workload, and what to do."""
        if not workload.kind and not error.refusal.names_object:
            return f"{self._client.host} knows no {workload.plural}.{workload.version}.{workload.group} with a scale; is it installed?"
        if not self._remembered("namespace", self._has_namespace):
            return f"namespace {workload.namespace} does not exist on {self._client.host}; create it, or correct namespace:"
        names = self._remembered(workload.collection, lambda: self._names(workload.collection))
        found = names if isinstance(names, tuple) else ()
        close = difflib.get_close_matches(workload.name, found, 1)
        listed = ", ".join(found[:_SHOWN]) + ("..." if len(found) > _SHOWN else "")
        hint = f"; did you mean {close[0]}?" if close else f"; there {'is' if len(found) == 1 else 'are'} {listed}" if found else ""
        return f"{workload} is not in namespace {workload.namespace}{hint or '; create it'}, or correct workload: or names:"

    def _remembered(self, key: str, ask: Callable[[], object]) -> object:
        with self._lock:
            known = self._known.get(key)
            if known is None or self._now() - known[0] > _BELIEVED_SECONDS:
                known = self._known[key] = self._now(), ask()
            return known[1]

    def _has_namespace(self) -> bool:
        """Tell whether the namespace is there; where one may not look, it is."""
        try:
            self._client.get(Named, f"/api/v1/namespaces/{quoted(self._client.namespace)}")
        except RefusedError as error:
            return error.status != HTTPStatus.NOT_FOUND
        except HttpError:
            return True
        return True

    def _names(self, collection: str) -> tuple[str, ...]:
        try:
            found = self._client.get(Names, collection, {"limit": "500"})
        except HttpError:
            return ()
        return tuple(each.metadata.name for each in found.items)
