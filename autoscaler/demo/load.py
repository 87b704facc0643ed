"""Offer the demo's load: web requests and jobs, each when the curve says, however fast the answers come."""

from __future__ import annotations

import heapq
import http.client
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from autoscaler.demo.curve import Curve
from autoscaler.demo.jobs import Jobs
from autoscaler.model import Address

_MOST_IN_FLIGHT = 48
_TIMEOUT_SECONDS = 8.0


@dataclass(slots=True)
class Offered:
    """What came of the load; filled in by many threads, each of which only appends."""

    response_seconds: list[float] = field(default_factory=list)  # from when the request was due
    failures: list[str] = field(default_factory=list)


class Load:
    """One thread that follows the curve, and a few that wait for answers."""

    def __init__(self, curve: Curve, web: Address, jobs: Path, finished: Callable[[], None]) -> None:
        """Aim at a web address and a queue; ``finished`` is called when the curve has ended or the load has failed."""
        self.offered = Offered()
        self.fault: str | None = None
        self._curve, self._web, self._jobs, self._finished = curve, web, jobs, finished
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-load", daemon=True)

    def start(self) -> None:
        """Begin the curve now."""
        self._thread.start()

    def stop(self) -> None:
        """Offer nothing more; answers still under way may come."""
        self._stop.set()

    def join(self) -> None:
        """Wait until nothing is under way any more: at most one request's timeout after ``stop``."""
        self._thread.join()

    def _run(self) -> None:
        try:
            with Jobs(self._jobs) as jobs, ThreadPoolExecutor(_MOST_IN_FLIGHT, "demo-request") as pool:
                self._follow(jobs, pool)
                pool.shutdown(cancel_futures=self._stop.is_set())
        except (OSError, sqlite3.Error) as error:
            self.fault = f"the load stopped: {error}"
        finally:
            self._finished()

    def _follow(self, jobs: Jobs, pool: ThreadPoolExecutor) -> None:
        began = time.monotonic()
        for due, is_request in _agenda(self._curve):
            if self._stop.wait(max(0.0, began + due - time.monotonic())):
                return
            if is_request:
                pool.submit(self._ask, began + due)
            else:
                jobs.enqueue(time.monotonic())
        self._stop.wait(max(0.0, began + self._curve.seconds - time.monotonic()))

    def _ask(self, due: float) -> None:
        """Send one request; its time counts from when it was due, so that a wait for a free thread is not hidden."""
        try:
            fetch(self._web)
        except (OSError, http.client.HTTPException) as error:
            self.offered.failures.append(f"{type(error).__name__}: {error}")
        else:
            self.offered.response_seconds.append(time.monotonic() - due)


def fetch(address: Address) -> bytes:
    """Return the page at ``/``; raise ``OSError`` or ``HTTPException`` when none comes in time."""
    connection = http.client.HTTPConnection(address.host, address.port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/", headers={"Connection": "close"})
        response = connection.getresponse()
        if response.status != http.client.OK:
            raise http.client.HTTPException(f"status {response.status}")
        return response.read()
    finally:
        connection.close()


def _agenda(curve: Curve) -> Iterator[tuple[float, bool]]:
    """Yield when something is due, ascending, and whether it is a request (or else a job)."""
    requests = ((due, True) for due in curve.request_times())
    return heapq.merge(requests, ((due, False) for due in curve.job_times()))
