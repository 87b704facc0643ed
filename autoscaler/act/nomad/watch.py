"""Follow how many of a job are desired by blocking queries, which Nomad answers when something changes."""

from __future__ import annotations

import time
from secrets import SystemRandom
from threading import Event, Thread

from autoscaler.act.nomad.wire import STATUS, ScaleStatus, index_of
from autoscaler.act.remote.api import Api, Call
from autoscaler.act.remote.parsing import parsed
from autoscaler.http_client import HttpError
from autoscaler.model import AutoscalerError

WAIT_SECONDS = 50.0  # that Nomad holds a query back; it adds up to a sixteenth, and many proxies cut what is silent for 60 s
_DEADLINE_SECONDS = WAIT_SECONDS * 17 / 16 + 10.0
_BREATH_SECONDS = 0.2  # between two queries, so that a job in motion is not asked for at each step
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 30.0  # after a failure
_random = SystemRandom()


class Watch:
    """The newest status of one job, and a thread that keeps it so.

    It holds for the counts that are desired and for the index, not for the figures of what runs: Nomad does not answer such a query when
    an allocation ends.
    """

    def __init__(self, api: Api, call: Call) -> None:
        """Follow what ``call`` asks for, from the second ``follow`` on: a check looks once, and leaves nothing behind."""
        self._api, self._call = api, call
        self._newest: tuple[int, ScaleStatus] | None = None
        self._offers = 0
        self._thread: Thread | None = None
        self._closed = Event()

    def follow(self, index: int, status: ScaleStatus) -> None:
        """Take in what was asked directly, and go on from there."""
        self._offers += 1
        if self._newest is None or index >= self._newest[0]:
            self._newest = index, status
        if self._offers > 1 and not self._is_alive() and index and not self._closed.is_set():
            self._thread = Thread(target=self._run, args=(index,), name="nomad-watch", daemon=True)
            self._thread.start()

    def newest(self, least: int) -> ScaleStatus | None:
        """Return the newest status, unless the thread has none with an index of ``least`` or above."""
        found = self._newest
        return found[1] if found and found[0] >= least and self._is_alive() else None

    def close(self) -> None:
        """End the thread; the query it waits in ends when its connection is closed."""
        self._closed.set()

    def _is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self, index: int) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not self._closed.is_set():
            try:
                index = self._ask(index)
            except AutoscalerError:  # the next look asks directly, and tells of it
                self._newest = None
                self._rest(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            else:
                pause = _FIRST_PAUSE_SECONDS
                self._rest(_BREATH_SECONDS)

    def _ask(self, index: int) -> int:
        """Wait for a change; return the index to go on from. One that went back, as after a restore of the servers, begins anew."""
        began = time.monotonic()
        query = {**self._call.query, "index": str(index), "wait": f"{WAIT_SECONDS:.0f}s"}
        answer = self._api.ask(Call(method="GET", path=self._call.path, query=query, timeout_seconds=_DEADLINE_SECONDS))
        status, found = parsed(answer.checked(), STATUS, "a scale status"), index_of(answer)
        if not found or (found == index and time.monotonic() - began < 1.0):
            raise HttpError(f"{answer.host} does not hold a blocking query back")
        self._newest = found, status
        return found if found >= index else 0

    def _rest(self, seconds: float) -> None:
        self._closed.wait(seconds * _random.uniform(0.8, 1.2))
