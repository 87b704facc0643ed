"""Judge the allocations of one task group; pure, with the time as an argument."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from autoscaler.act.nomad.wire import Allocation, TaskState
from autoscaler.model import Process, ProcessState

_SOON_SECONDS = 60.0  # a task that ends sooner after its start has crashed
_HEALTH_DEADLINE_SECONDS = 300.0  # by then Nomad has made up its mind about a new allocation, unless nobody watches its health
_ENDED = frozenset({"complete", "failed", "lost"})
_NUMBER = re.compile(r".*\[([0-9]{1,9})\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Judged:
    """An allocation, the state of the process it is, and whether it keeps failing soon after its start."""

    allocation: Allocation
    state: ProcessState
    crashes: bool = False

    @property
    def number(self) -> int | None:
        """Return the number that its name ends in: web[0]."""
        found = _NUMBER.fullmatch(self.allocation.name)
        return int(found[1]) if found else None


def judge_all(allocations: Iterable[Allocation], ready: frozenset[str], now: float) -> list[Judged]:
    """Return those that still matter, newest first; ``ready`` are the ids of those that were healthy once, ``now`` is epoch seconds.

    Canaries do not count, as in Nomad's own figures. A failed allocation counts until another one takes its place.
    """
    found: list[Judged] = []
    taken: set[str] = set()
    for allocation in sorted(allocations, key=lambda each: each.create_index, reverse=True):
        if allocation.deployment_status and allocation.deployment_status.canary:
            continue
        judged = _judge(allocation, ready, now)
        if judged is None or (judged.state == "failed" and allocation.client_status in _ENDED and allocation.name in taken):
            continue
        if judged.state != "draining":
            taken.add(allocation.name)
        found.append(judged)
    return found


def numbers_done(allocations: Iterable[Allocation]) -> set[int | None]:
    """Return the numbers of a batch job that have done their work, in whose place no other comes."""
    done = (each for each in allocations if each.job_type == "batch" and (each.desired_status, each.client_status) == ("run", "complete"))
    return {Judged(each, "unknown").number for each in done}


def name_all(name: str, judged: Iterable[Judged]) -> list[Process]:
    """Name the processes as their allocations are numbered: web.0. Where two have one number, the older ones carry a part of their id."""
    taken: set[str] = set()
    return [Process(_free_name(name, each, taken), each.state, host=each.allocation.node_name or None) for each in judged]


def _free_name(name: str, judged: Judged, taken: set[str]) -> str:
    own = f"{name}.{judged.allocation.id[:8] if judged.number is None else judged.number}"
    if own in taken or judged.state == "draining":
        own = f"{own}-{judged.allocation.id[:8]}"
    taken.add(own)
    return own


def _judge(allocation: Allocation, ready: frozenset[str], now: float) -> Judged | None:
    status, tasks = allocation.client_status, tuple((allocation.task_states or {}).values())
    if allocation.desired_status != "run":
        return None if status in _ENDED else Judged(allocation, "draining")
    if status == "running":
        return _judge_running(allocation, tasks, ready, now)
    crashes = any(map(_ended_soon, tasks))
    if status == "pending":
        return Judged(allocation, "failed" if crashes else "starting", crashes)
    if status in {"failed", "lost"} and not allocation.next_allocation:
        return Judged(allocation, "failed", crashes)
    return None if status in _ENDED else Judged(allocation, "unknown")


def _judge_running(allocation: Allocation, tasks: tuple[TaskState, ...], ready: frozenset[str], now: float) -> Judged:
    """Judge by health where it is known; Nomad forgets it at each scaling, so that what was healthy once stays ready."""
    healthy = allocation.deployment_status.healthy if allocation.deployment_status else None
    if healthy:
        return Judged(allocation, "running")
    age = now - max(_starts(tasks), default=now)
    crashes = age < _SOON_SECONDS and any(task.restarts > 1 for task in tasks)
    if healthy is False or crashes:
        return Judged(allocation, "failed", crashes)
    is_watched = allocation.job_type == "service" and allocation.id not in ready and age < _HEALTH_DEADLINE_SECONDS
    return Judged(allocation, "starting" if is_watched else "running")


def _starts(tasks: tuple[TaskState, ...]) -> Iterator[float]:
    return (task.started_at.timestamp() for task in tasks if task.state == "running" and task.started_at)


def _ended_soon(task: TaskState) -> bool:
    """Tell whether a task ended last soon after its start, or without one. Nomad writes the year 1 for what was not yet."""
    ends = [time for time in (task.last_restart, task.finished_at) if time and time.year > 1]
    if not ends:
        return False
    started = task.started_at
    return started is None or started.year == 1 or (max(ends) - started).total_seconds() < _SOON_SECONDS
