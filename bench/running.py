"""Run the controller as its users do, in a folder of its own, and end it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMAND = str(Path(sys.executable).parent / "autoscaler")
STOP_SECONDS = 20


@contextmanager
def running_controller(folder: Path, configuration: str) -> Iterator[int]:
    """Start ``autoscaler run`` in ``folder`` and yield its process id; its log goes to ``log`` there."""
    (folder / "autoscaler.yaml").write_text(configuration)
    environment = os.environ | {"XDG_RUNTIME_DIR": str(folder)}
    with (folder / "log").open("wb") as log, subprocess.Popen([COMMAND, "run"], cwd=folder, env=environment, stdout=log, stderr=log) as process:
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            _wait(process)
    if process.returncode != 0:
        sys.exit(f"autoscaler run ended with {process.returncode}:\n{(folder / 'log').read_text()}")


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
