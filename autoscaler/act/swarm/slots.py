"""Judge the slots of a service: which processes run, start, drain, failed, or keep failing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, takewhile

from autoscaler.act.starts import MEMORY_SECONDS, SETTLED_SECONDS
from autoscaler.act.swarm.shapes import Node, Task
from autoscaler.model import Process, ProcessState

_FAILURES = frozenset({"failed", "rejected", "complete"})
_FEWEST_FAILURES = 2  # soon after the start, one after the other: the process keeps failing
_ID_LETTERS = 5  # that tell a process that ends from the one that takes its slot


@dataclass(frozen=True, slots=True)
class SwarmView:
    """What is known of the whole swarm at one look."""

    now: datetime  # by the manager's clock
    nodes: Mapping[str, Node]  # by id; empty where they may not be listed

    def is_lost(self, task: Task) -> bool:
        """Tell whether the node of a task does not answer."""
        node = self.nodes.get(task.node_id)
        return node is not None and node.is_lost

    def host(self, task: Task) -> str | None:
        """Return the name of a task's node."""
        node = self.nodes.get(task.node_id)
        return node.description.hostname or None if node else None


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot of a service: the tasks that had it, the newest first."""

    number: int
    tasks: tuple[Task, ...]
    view: SwarmView

    @property
    def best(self) -> Task | None:
        """Return the task that counts as the slot's process: while a new one starts beside the old one, that is the old one."""
        wanted = [task for task in self.tasks if task.is_wanted]
        return max(wanted, key=lambda task: (not self.view.is_lost(task), task.state == "running"), default=None)

    @property
    def state(self) -> ProcessState:
        """Return the state of the slot's process; one that keeps failing has failed, also while Swarm tries again."""
        best = self.best
        if best is None or self.keeps_failing:
            return "failed"
        if self.view.is_lost(best):
            return "unknown"
        return "running" if best.state == "running" else "starting"

    @property
    def is_given_up(self) -> bool:
        """Tell whether the slot's process ended, and no other takes its place."""
        return self.best is None and self.tasks[0].state in _FAILURES

    @property
    def failures(self) -> tuple[Task, ...]:
        """Return the last tasks that ended soon after their start, one after the other, of what is to run there now."""
        best = self.best
        to_run = (best or self.tasks[0]).spec
        return tuple(takewhile(_failed_soon, (task for task in self.tasks if task is not best and task.spec == to_run)))

    @property
    def keeps_failing(self) -> bool:
        """Tell whether the slot's processes fail again and again; one that has lived twice as long as those before it is trusted."""
        failures, best = self.failures, self.best
        if len(failures) < _FEWEST_FAILURES:
            return False
        if best is None or best.state != "running":
            return _seconds(failures[0].status.timestamp, self.view.now) < MEMORY_SECONDS + failures[0].restart_delay_seconds
        return _seconds(best.created_at, self.view.now) < 2.0 * max(task.lived_seconds for task in failures)

    @property
    def startup_seconds(self) -> float | None:
        """Return how long the slot's process took to start, where it did not wait for a restart first."""
        if len(self.tasks) != 1 or self.state != "running":
            return None
        return self.tasks[0].lived_seconds if self.tasks[0].lived_seconds > 0 else None

    def process(self, type_name: str) -> Process:
        """Return the slot's process, which has failed where there is none."""
        best = self.best
        return Process(f"{type_name}.{self.number}", self.state, host=self.view.host(best) if best else None)

    def leftovers(self, type_name: str) -> Iterator[Process]:
        """Yield the processes that are to end: they drain, or are not heard of any more. One keeps its name where no other has taken it."""
        name, is_taken = f"{type_name}.{self.number}", self.best is not None or self.is_given_up
        for task in self.tasks:
            if task.is_draining:
                state: ProcessState = "unknown" if self.view.is_lost(task) else "draining"
                yield Process(f"{name}.{task.id[:_ID_LETTERS]}" if is_taken else name, state, host=self.view.host(task))
                is_taken = True


def sort_into_slots(tasks: Iterable[Task], view: SwarmView) -> tuple[Slot, ...]:
    """Return the slots of one service by their number."""
    newest_first = sorted(tasks, key=lambda task: task.created_at, reverse=True)
    by_slot = groupby(sorted(newest_first, key=lambda task: task.slot), key=lambda task: task.slot)
    return tuple(Slot(number, tuple(of_slot), view) for number, of_slot in by_slot)


def _failed_soon(task: Task) -> bool:
    return task.state in _FAILURES and task.lived_seconds - task.restart_delay_seconds < SETTLED_SECONDS


def _seconds(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds()
