"""Measure the time from a step of the load to a process that is ready for it."""

from __future__ import annotations

import math
import os
import random
import shlex
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from running import running_controller
from table import Table

STEPS = 20
SPAWNS = 15
POLL_SECONDS = 1.0
DEADLINE_SECONDS = 30.0
QUIET_SECONDS = 2.5  # until the process of the last step has gone, and the phase of the next is free
WORKER = """\
import os, signal, socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ready:
    ready.sendto(os.environ["PS"].encode(), ("127.0.0.1", int(os.environ["READY_PORT"])))
signal.pause()
"""
CONFIGURATION = """\
interval: 1s
listen: null
backend: {local: {procfile: Procfile}}
metrics:
  load: {file: {path: load}, every: 1s}
defaults:
  scale_out: {at_most: [100 per 1s]}
  scale_in: {stabilization: 0s, at_most: [100 per 1s]}
formation:
  worker: {minimum: 1, maximum: 4, startup: 1s, policies: [target: {metric: load, per_process: 1}]}
"""


def measure() -> Table:
    """Step the load many times at random phases; a worker reports by a datagram the moment it is ready."""
    with TemporaryDirectory() as name, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ready:
        folder = Path(name)
        ready.bind(("127.0.0.1", 0))
        ready.settimeout(DEADLINE_SECONDS)
        os.environ["READY_PORT"] = str(ready.getsockname()[1])
        (folder / "worker.py").write_text(WORKER)
        (folder / "Procfile").write_text(f"worker: exec {shlex.quote(sys.executable)} worker.py\n")
        spawn = statistics.median(_spawn_seconds(folder, ready) for _ in range(SPAWNS))
        reactions = sorted(_reactions(folder, ready))
    floor = POLL_SECONDS / 2 + spawn
    median, late = statistics.median(reactions), reactions[math.ceil(0.95 * len(reactions)) - 1]
    rows = (
        ("median", f"{median:.2f} s", f"{median / floor:.1f} x"),
        ("95th percentile", f"{late:.2f} s", f"{late / floor:.1f} x"),
        (f"floor: half a poll {POLL_SECONDS / 2:.2f} s + spawn and start-up {spawn:.3f} s", f"{floor:.2f} s", "1.0 x"),
    )
    return Table(f"Reaction: load step to ready process, local backend, interval 1 s, {STEPS} steps", ("", "seconds", "to floor"), rows)


def _reactions(folder: Path, ready: socket.socket) -> list[float]:
    _set_load(folder, 1)
    with running_controller(folder, CONFIGURATION):
        ready.recv(100)
        return [_step(folder, ready) for _ in range(STEPS)]


def _step(folder: Path, ready: socket.socket) -> float:
    time.sleep(QUIET_SECONDS + random.random() * POLL_SECONDS)  # noqa: S311 - a phase, not a secret
    began = time.monotonic()
    _set_load(folder, 2)
    ready.recv(100)
    seconds = time.monotonic() - began
    _set_load(folder, 1)
    return seconds


def _set_load(folder: Path, value: int) -> None:
    (folder / "next").write_text(f"{value}\n")
    (folder / "next").replace(folder / "load")


def _spawn_seconds(folder: Path, ready: socket.socket) -> float:
    """Start the worker alone, as any program would."""
    began = time.monotonic()
    with subprocess.Popen([sys.executable, "worker.py"], cwd=folder, env=os.environ | {"PS": "alone"}) as process:
        ready.recv(100)
        seconds = time.monotonic() - began
        process.kill()
    return seconds
