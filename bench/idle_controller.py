"""Measure what a controller costs that polls and has nothing to change."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from running import running_controller
from table import Table

TYPES = 10
SETTLE_SECONDS = 5
MEASURED_SECONDS = 20
GOAL_SHARE = 0.02
GOAL_MEGABYTES = 70
PAGE = b'{"jobs": {"waiting": 40}}'


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer every path with the same page."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def measure() -> Table:
    """Let a controller poll ten endpoints a second, and read its CPU time and memory from the kernel."""
    with TemporaryDirectory() as folder, _server() as port, running_controller(Path(folder), _configuration(port)) as process:
        time.sleep(SETTLE_SECONDS)
        before, began = _cpu_seconds(process), time.monotonic()
        time.sleep(MEASURED_SECONDS)
        share = (_cpu_seconds(process) - before) / (time.monotonic() - began)
        rows = (
            ("share of a core", f"{share:.2%}", f"under {GOAL_SHARE:.0%}"),
            ("resident memory", f"{_resident_megabytes(process):.1f} MB", f"under {GOAL_MEGABYTES} MB"),
        )
    return Table(f"Idle controller, {TYPES} types polled over HTTP and decided every second, {MEASURED_SECONDS} s", ("", "measured", "goal"), rows)


@contextmanager
def _server() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def _configuration(port: int) -> str:
    names = [f"worker{number}" for number in range(TYPES)]
    metrics = [f"  {name}_waiting: {{http_json: {{url: 'http://127.0.0.1:{port}/{name}', pointer: /jobs/waiting}}, every: 1s}}" for name in names]
    types = [f"  {name}: {{minimum: 1, maximum: 9, policies: [backlog: {{waiting: {name}_waiting, per_process: 20}}]}}" for name in names]
    return "\n".join(["interval: 1s", "listen: null", "backend: {dry_run: {}}", "metrics:", *metrics, "formation:", *types, ""])


def _cpu_seconds(process: int) -> float:
    user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _resident_megabytes(process: int) -> float:
    (line,) = (line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
