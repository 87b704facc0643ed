"""Look for processes that a run of the demo left behind, by the marker in their environment."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from autoscaler.demo.configuration import MARKER

_PATIENCE_SECONDS = 3.0
_LOOK_SECONDS = 0.05


def find_marked(token: str) -> tuple[int, ...]:
    """Return the ids of living processes of this user whose environment bears ``token``."""
    wanted = f"{MARKER}={token}".encode()
    return tuple(sorted(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal() and wanted in _environment(entry)))


def end_marked(token: str) -> int:
    """Return how many processes are still there after a moment's patience, and kill those."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (left := find_marked(token)) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return len(left)


def _environment(entry: Path) -> list[bytes]:
    """Return the variables of a process; none for one of another user, one that is gone, or a zombie."""
    try:
        return (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return []
