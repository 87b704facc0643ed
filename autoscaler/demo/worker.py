"""Work off the demo's queue, one job at a time: ``python -m autoscaler.demo.worker FILE``."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from autoscaler.demo.jobs import Jobs
from autoscaler.demo.work import JOB_SECONDS, work

_IDLE_SECONDS = 0.05
_OVERDUE_SECONDS = 25 * JOB_SECONDS


class Drain:
    """Remembers that this process was told to stop."""

    def __init__(self) -> None:
        """Begin with no order to stop, and listen for TERM and INT."""
        self.is_asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.is_asked = True


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Take jobs until told to stop, finish the one in hand, and return 0."""
    drain = Drain()
    name = environment.get("PS", f"worker of process {os.getpid()}")
    with Jobs(Path(arguments[0])) as jobs:
        jobs.give_back(name)
        while not drain.is_asked:
            if not _do_one(jobs, name):
                jobs.give_back_overdue(time.monotonic() - _OVERDUE_SECONDS)
                time.sleep(_IDLE_SECONDS)
    return 0


def _do_one(jobs: Jobs, name: str) -> bool:
    job = jobs.claim(name, time.monotonic())
    if job is None:
        return False
    work(JOB_SECONDS)
    jobs.finish(job, name, time.monotonic())
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
