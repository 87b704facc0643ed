"""Measure how long the command takes to tell what it can do."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from table import Table

RUNS = 15
GOAL_SECONDS = 0.2
COMMAND = str(Path(sys.executable).parent / "autoscaler")


def measure() -> Table:
    """Time ``autoscaler --help`` beside a Python that does nothing, in turns."""
    pairs = [(_seconds(COMMAND, "--help"), _seconds(sys.executable, "-c", "pass")) for _ in range(RUNS)]
    ours, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
    rows = (
        ("autoscaler --help", f"{ours * 1e3:.0f} ms", f"{ours / bare:.1f} x"),
        ("python -c pass", f"{bare * 1e3:.0f} ms", "1.0 x"),
    )
    return Table(f"Start of the command, median of {RUNS} (goal {GOAL_SECONDS} s)", ("command", "wall", "to bare"), rows)


def _seconds(*command: str) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began
