"""Remember what was refused, so that it is not asked for at every tick, and is tried again after a while."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

_AGAIN_SECONDS = 60.0


class Rights:
    """What the credentials may not do, as far as Kubernetes has said so; safe from any thread."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Begin with nothing refused."""
        self._now = now
        self._lock = Lock()
        self._refused: dict[tuple[str, str], float] = {}

    def may_try(self, verb: str, what: str) -> bool:
        """Tell whether to try it: nobody refused it in the last minute."""
        with self._lock:
            return self._now() - self._refused.get((verb, what), -_AGAIN_SECONDS) >= _AGAIN_SECONDS

    def refused(self, verb: str, what: str) -> None:
        """Take in that it was refused now."""
        with self._lock:
            self._refused[verb, what] = self._now()


def advice(verbs: str, resource: str, namespace: str) -> str:
    """Say which right to give, to follow on what was refused."""
    return f"give the autoscaler's account {verbs} on {resource} in namespace {namespace}"
