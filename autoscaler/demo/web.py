"""Answer the demo's web requests, one at a time, on the socket that the autoscaler passes on: ``python -m autoscaler.demo.web``."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from autoscaler.demo.plain_http import answer, read_head
from autoscaler.demo.work import REQUEST_SECONDS, work

_FIRST_PASSED_DESCRIPTOR = 3  # as in sd_listen_fds(3)


@dataclass(slots=True)
class Tally:
    """What one web process has done so far."""

    requests: int = 0
    busy_seconds: float = 0.0
    in_flight: int = 0

    def page(self) -> str:
        """Write the tally as a Prometheus text page."""
        return (
            f"# TYPE demo_requests_total counter\ndemo_requests_total {self.requests}\n"
            f"# TYPE demo_busy_seconds_total counter\ndemo_busy_seconds_total {self.busy_seconds:.6f}\n"
            f"# TYPE demo_requests_in_flight gauge\ndemo_requests_in_flight {self.in_flight}\n"
        )


def passed_socket(environment: Mapping[str, str], pid: int) -> socket.socket | None:
    """Return the listening socket passed on to this very process by the rules of sd_listen_fds(3), or ``None``."""
    if environment.get("LISTEN_PID") != str(pid) or environment.get("LISTEN_FDS") != "1":
        return None
    return socket.socket(fileno=_FIRST_PASSED_DESCRIPTOR)


def main(environment: Mapping[str, str]) -> int:
    """Serve until told to stop, finish the request in hand, and return 0; 2 when no socket was passed on."""
    listener = passed_socket(environment, os.getpid())
    if listener is None:
        sys.stderr.write("the demo's web process needs a listening socket as descriptor 3, LISTEN_FDS=1 and LISTEN_PID\n")
        return 2
    tally = Tally()
    with listener, _stop_bell() as bell:
        threading.Thread(target=_serve_metrics, args=(int(environment["METRICS_PORT"]), tally), daemon=True).start()
        serve(listener, bell, tally)
    return 0


def serve(listener: socket.socket, bell: socket.socket, tally: Tally) -> None:
    """Answer request after request until ``bell`` has something to read."""
    # Other processes wait on the same socket: one that comes second must not block in accept().
    listener.settimeout(0)
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(bell, selectors.EVENT_READ)
        while bell not in (ready := [key.fileobj for key, _ in selector.select()]):
            if listener in ready:
                _answer_next(listener, tally)


def _answer_next(listener: socket.socket, tally: Tally) -> None:
    try:
        connection, _ = listener.accept()
    except BlockingIOError:
        return
    began = time.monotonic()
    tally.in_flight = 1
    if read_head(connection):
        work(REQUEST_SECONDS)
    tally.in_flight = 0
    tally.busy_seconds += time.monotonic() - began
    tally.requests += 1
    answer(connection, "done\n")


def _serve_metrics(port: int, tally: Tally) -> None:
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            connection, _ = listener.accept()
            read_head(connection)
            answer(connection, tally.page())


def _stop_bell() -> socket.socket:
    """Return a socket that becomes readable on TERM or INT, so that no signal falls between a check and an accept()."""
    bell, ringer = socket.socketpair()
    ringer.settimeout(0)
    signal.set_wakeup_fd(ringer.detach())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
    return bell


if __name__ == "__main__":
    sys.exit(main(os.environ))
