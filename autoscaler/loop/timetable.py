"""Run jobs at their intervals on daemon threads, whatever the wall clock does: the only user of apscheduler.

APScheduler 3 plans by the wall clock, and a step of it would freeze or flood the jobs; ``keep_time`` notices a step and plans
anew. Its own thread pools are joined when Python exits, so that one hanging source would hold up the end; these are not.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from threading import Lock, Thread

from apscheduler.executors.base import BaseExecutor, run_job
from apscheduler.job import Job
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from autoscaler.clock import Clock

_STEP_SECONDS = 1.0  # wall and monotonic time drifting apart by more than this is a step of the wall clock
_CONTROL = "control"  # one thread, for the ticks: hanging polls never take it
_POLL = "poll"  # as many threads as polls are under way at once


class _DaemonExecutor(BaseExecutor):  # type: ignore[misc] # apscheduler ships no types
    """Runs jobs on daemon threads, started as they are needed and kept for the next job."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._work: SimpleQueue[tuple[Job, list[datetime]] | None] = SimpleQueue()
        self._counting = Lock()
        self._threads = 0
        self._idle = 0

    def _do_submit_job(self, job: Job, run_times: list[datetime]) -> None:
        with self._counting:
            if self._idle:
                self._idle -= 1
            else:
                # First the thread: where none can be started, the job must not wait for one.
                Thread(target=self._run, name=f"{self._name}-{self._threads}", daemon=True).start()
                self._threads += 1
        self._work.put((job, run_times))

    def _run(self) -> None:
        while (task := self._work.get()) is not None:
            job, run_times = task
            events = run_job(job, job._jobstore_alias, run_times, self._logger.name)  # noqa: SLF001 - as apscheduler's own executors do
            with self._counting:
                self._idle += 1
            self._run_job_success(job.id, events)

    def shutdown(self, wait: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002 - apscheduler's signature; daemon threads are never waited for
        """End the threads that are idle; one that hangs ends with the program."""
        for _ in range(self._threads):
            self._work.put(None)


class Timetable:
    """Jobs with their intervals; each job runs once at a time, polls possibly twice (the second is told it is late)."""

    def __init__(self, clock: Clock) -> None:
        """Keep an empty timetable; nothing runs before ``start``."""
        # The log of the controller tells what matters; apscheduler's own would go to standard error unformatted.
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL + 1)
        self._clock = clock
        self._offset = clock.wall() - clock.now()
        self._planning = Lock()  # held while jobs are moved or taken away
        self._generation = 0
        defaults = {"coalesce": True, "misfire_grace_time": None}
        executors = {_CONTROL: _DaemonExecutor(_CONTROL), _POLL: _DaemonExecutor(_POLL)}
        self._scheduler = BackgroundScheduler(executors=executors, job_defaults=defaults, timezone=UTC)

    def start(self) -> None:
        """Begin to run the jobs."""
        self._scheduler.start()

    def tick_every(self, seconds: float, after_seconds: float, call: Callable[[], object]) -> None:
        """Run a job of the control thread at an interval, first after a delay."""
        self._add("tick", call, seconds, after_seconds, executor=_CONTROL)

    def poll_every(self, seconds: float, after_seconds: float, name: str, call: Callable[[], object]) -> None:
        """Run a poll at an interval, first after a delay."""
        # The generation keeps a poll that hangs since before a reload from counting against its successor.
        self._add(f"poll {name} {self._generation}", call, seconds, after_seconds, executor=_POLL)

    def forget(self) -> None:
        """Take all jobs off the timetable; those under way finish."""
        with self._planning:
            self._generation += 1
            self._scheduler.remove_all_jobs()

    def keep_time(self) -> float:
        """Plan every job anew if the wall clock was stepped; return the seconds of the step, 0 if there was none."""
        offset = self._clock.wall() - self._clock.now()
        step, self._offset = offset - self._offset, offset
        if abs(step) <= _STEP_SECONDS:
            return 0.0
        with self._planning:
            for job in self._scheduler.get_jobs():
                # Its place in the interval stays, whether apscheduler has planned it since the step or not.
                left = (job.next_run_time - self._wall()).total_seconds() % job.trigger.interval_length
                job.modify(next_run_time=self._wall() + timedelta(seconds=left))
        return step

    def stop(self) -> None:
        """End the timetable; jobs under way are not waited for."""
        self._scheduler.shutdown(wait=False)

    def _wall(self) -> datetime:
        return datetime.fromtimestamp(self._clock.wall(), UTC)

    def _add(self, name: str, call: Callable[[], object], seconds: float, after_seconds: float, *, executor: str) -> None:
        first = self._wall() + timedelta(seconds=after_seconds)
        self._scheduler.add_job(
            call,
            IntervalTrigger(seconds=seconds, timezone=UTC),
            id=name,
            next_run_time=first,
            executor=executor,
            max_instances=1 if executor == _CONTROL else 2,
            replace_existing=True,
        )
