"""Tick between two intervals when a backend asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from threading import Event, Thread

from autoscaler.act.backend import Backend, Wakes
from autoscaler.loop.guard import guard

_APART_SECONDS = 0.1  # between two such ticks, however often they are asked for


class Wake:
    """Asks for a tick on a daemon thread of its own; several calls before it make one tick."""

    def __init__(self, tick: Callable[[], None]) -> None:
        """Take what ticks, one at a time, and never raises."""
        self._tick = tick
        self._asked, self._stopped = Event(), Event()

    def connect(self, backends: Mapping[str, Backend]) -> dict[str, str]:
        """Let every backend call that can; return what failed, by backend."""
        troubles: dict[str, str] = {}
        for name, backend in backends.items():
            if isinstance(backend, Wakes):
                guard(partial(backend.wake_with, self._asked.set), partial(troubles.__setitem__, name))
        return troubles

    def start(self) -> None:
        """Begin to tick; what was asked for before is done by the controller's first tick."""
        self._asked.clear()
        Thread(target=self._run, name="wake", daemon=True).start()

    def stop(self) -> None:
        """Tick no more; a tick under way is not waited for."""
        self._stopped.set()
        self._asked.set()

    def _run(self) -> None:
        while self._asked.wait() and not self._stopped.is_set():
            self._asked.clear()  # first: who asks during the tick may come too late for it
            self._tick()
            self._stopped.wait(_APART_SECONDS)
