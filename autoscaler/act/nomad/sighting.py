"""Put together what is seen of one process type, and what of it must be remembered from look to look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from autoscaler.act.nomad.allocations import Judged, judge_all, name_all, numbers_done
from autoscaler.act.nomad.wire import Allocation, GroupStatus, ScaleStatus
from autoscaler.act.remote.engine import Sighting
from autoscaler.clock import Clock
from autoscaler.model import Counts, Process

_PLACED_AFTER_SECONDS = 30.0  # placing takes longer only where there is no room, or a deployment goes step by step
_STOPPED = "job {job} is stopped; start it with `nomad job start {job}`"
_BY_COUNTS = "job {job} is known by counts alone, without health, drains and crashes: the token lacks read-job"


@dataclass(frozen=True, slots=True)
class Picture:
    """What was read of a job; ``allocations`` is ``None`` where the token may not see them."""

    status: ScaleStatus
    allocations: tuple[Allocation, ...] | None


class Observer:
    """What is remembered of one job: who was healthy once, and since when something waits for a place."""

    def __init__(self, job: str, clock: Clock) -> None:
        """Begin without having seen anything."""
        self._job, self._clock = job, clock
        self._ready: frozenset[str] = frozenset()
        self._waiting: dict[str, float] = {}  # by process type, since when

    def take(self, picture: Picture) -> None:
        """Remember who is healthy, of those that are still there."""
        there = {each.id: each for each in picture.allocations or ()}
        healthy = {name for name, each in there.items() if each.deployment_status and each.deployment_status.healthy}
        self._ready = frozenset((self._ready & there.keys()) | healthy)

    def sight(self, name: str, group: str, picture: Picture) -> Sighting | str:
        """Return what runs of the process type ``name``, which is a task group of the job."""
        status = picture.status.task_groups.get(group)
        if status is None:
            known = ", ".join(sorted(picture.status.task_groups))
            return f"job {self._job} has no task group {group}; it has {known}: check group and names"
        version, stopped = picture.status.job_modify_index, picture.status.job_stopped
        obstacle = _STOPPED.format(job=self._job) if stopped else None
        if picture.allocations is None:
            notes = (*self._notes(name, 0 if stopped else status.desired - status.placed), _BY_COUNTS.format(job=self._job))
            return Sighting(counts=_counts(status, stopped=stopped), version=version, notes=notes, obstacle=obstacle)
        own = tuple(each for each in picture.allocations if each.task_group == group)
        if any(each.job_type.startswith("sys") for each in own):
            return f"job {self._job} is of type {own[0].job_type}, which runs one of each on every node; only service and batch jobs can be scaled"
        judged = judge_all(own, self._ready, self._clock.wall())
        waiting = [] if stopped else _list_unplaced(name, status.desired, judged, numbers_done(own))
        processes = (*name_all(name, judged), *waiting)
        return Sighting(
            counts=_tally(status.desired, processes),
            processes=processes,
            version=version,
            crashing=sum(each.crashes for each in judged),
            notes=tuple(self._notes(name, len(waiting))),
            obstacle=obstacle,
        )

    def _notes(self, name: str, waiting: int) -> Iterator[str]:
        """Tell of what waits for a place for long."""
        if waiting <= 0:
            self._waiting.pop(name, None)
            return
        if self._clock.now() - self._waiting.setdefault(name, self._clock.now()) >= _PLACED_AFTER_SECONDS:
            yield f"{waiting} of {name} wait for a place: `nomad job status {self._job}` says why"


def _counts(status: GroupStatus, *, stopped: bool) -> Counts:
    """Read Nomad's own figures. Its ``Healthy`` says nothing here: after each scaling it begins at 0 again while all go on running."""
    running = max(0, status.running - status.unhealthy)
    starting = status.placed - status.running + (0 if stopped else max(0, status.desired - status.placed))
    return Counts(status.desired, running, max(0, starting), failed=status.unhealthy)


def _list_unplaced(name: str, desired: int, judged: list[Judged], done: set[int | None]) -> list[Process]:
    """Return what should run and has no place yet, by the lowest numbers that are free."""
    present = [each.number for each in judged if each.state != "draining"]
    free = [number for number in range(desired) if number not in done.union(present)]
    return [Process(f"{name}.{number}", "starting") for number in free[: max(0, desired - len(present) - len(done))]]


def _tally(desired: int, processes: tuple[Process, ...]) -> Counts:
    tally = Counter(each.state for each in processes)
    return Counts(desired, tally["running"], tally["starting"], tally["draining"], tally["failed"], tally["unknown"])
