"""Simulated processes, each through all its runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from autoscaler.act.starts import Start
from autoscaler.model import Counts, ProcessState


@dataclass(slots=True, eq=False)
class SimulatedProcess:
    """The process of a number; each run has a serial of its own, by which the queue knows it, and by which its events are known."""

    number: int
    serial: int
    state: ProcessState = "starting"
    start: Start | None = None  # of the present run; None while nothing runs
    started_at: float = 0.0
    failures: int = 0  # in a row
    failed_at: float = 0.0

    @property
    def is_ready(self) -> bool:
        """Tell whether the present run takes work, or did before it was told to stop."""
        return self.start is not None and self.start.is_ready

    @property
    def is_alive(self) -> bool:
        """Tell whether something runs, and so costs."""
        return self.start is not None


def counts_of(processes: Iterable[SimulatedProcess], told: int, most: int) -> Counts:
    """Count processes by their state; of ``most`` that should run, those that cannot be started yet count as starting."""
    states = [process.state for process in processes]
    waiting = max(0, most - (len(states) - states.count("draining")))
    return Counts(
        desired=told,
        running=states.count("running"),
        starting=states.count("starting") + waiting,
        draining=states.count("draining"),
        failed=states.count("failed"),
        unknown=states.count("unknown"),
    )
