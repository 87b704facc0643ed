"""The processes of one type and the queue in front of them: started, drained, killed and lost as a backend would."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from itertools import count

import numpy as np

from autoscaler.act.starts import MEMORY_SECONDS, SETTLED_SECONDS, StartHistory, restart_delay, start_timeout
from autoscaler.model import Process, ProcessType, TypeFormation
from autoscaler_simulations.plant.agenda import Agenda
from autoscaler_simulations.plant.life import FailingStarts, Life, LostHost
from autoscaler_simulations.plant.process import SimulatedProcess, counts_of
from autoscaler_simulations.plant.queue import Queue
from autoscaler_simulations.plant.usage import Usage

_LONGEST_STEP_SECONDS = 60.0  # of the queue, where nobody looks for longer: a run should go on evenly
_ROUNDING = 1e-6  # by which a share of processes, or the waiting of a flow, may be off


class Plant:
    """The simulated processes of one type; time is seconds since the start, and only ``advance`` moves it.

    Numbers, restart delays and the crash-loop rule are those of the local backend; what is told to stop are the highest numbers.
    """

    def __init__(self, process_type: ProcessType, life: Life, queue: Queue, chance: np.random.Generator, running: int) -> None:
        """Begin with ``running`` ready processes."""
        self.process_type = process_type
        self.usage = Usage()
        self.now = 0.0
        self.ready = 0  # processes with slots, draining ones included
        self._queue, self._queue_at = queue, 0.0
        self._life = life
        self._chance = chance
        self._history = StartHistory()
        self._agenda = Agenda()
        self._processes: dict[int, SimulatedProcess] = {}
        self._serials = count(1)
        self._alive = 0
        self._told = running  # what the backend was last told
        self._wanted = running  # what it has acted on
        self._tellings = 0
        self._acted = 0  # the newest telling that was acted on
        self._shown: TypeFormation | None = None
        self._begin(running)

    def advance(self, until: float) -> None:
        """Let everything happen that happens up to ``until``."""
        if self._agenda.next_at <= until:
            while (event := self._agenda.take(until)) is not None:
                self._move(event.at)
                self._shown = None
                event.happen()
        if until != self.now:
            self._move(until)
        if until - self._queue_at > _LONGEST_STEP_SECONDS:
            self._catch_up()

    @property
    def queue(self) -> Queue:
        """Return the queue as it is now; time passes there only when somebody looks, since each step costs."""
        if self._queue_at != self.now:
            self._catch_up()
        return self._queue

    def scale(self, target: int) -> None:
        """Tell the backend how many processes should run; where it is slow, what it was told later never gives way to what was told before."""
        self._told, self._shown = target, None
        self._tellings += 1
        act = partial(self._act, target, self._tellings)
        delay = self._life.delay(self.now)
        if delay > 0:
            self._agenda.plan(self.now + delay, act)
        else:
            act()

    def observe(self) -> TypeFormation:
        """Return what a backend would show now."""
        if self._shown is None:
            self._shown = self._describe()
        if self.process_type.socket != "shared" or self._shown.counts.running or self.queue.tally().waiting <= _ROUNDING:
            return self._shown
        return replace(self._shown, is_called=True)  # calls come and go with the queue, which tells nobody

    @property
    def is_at_zero(self) -> bool:
        """Whether no process is wanted, and none is left but draining ones: a call would wake the controller."""
        return self._most() == 0 and all(process.state == "draining" for process in self._processes.values())

    def _catch_up(self) -> None:
        self._queue_at = self.now
        self._queue.advance(self.now)

    def _move(self, until: float) -> None:
        seconds = until - self.now
        self.usage.process_seconds += self._alive * seconds
        self.usage.ready_seconds += self.ready * seconds
        self.now = until

    def _begin(self, running: int) -> None:
        for number in range(1, running + 1):
            process = self._add(number)
            process.start = self._history.begin(number)
            process.started_at = -SETTLED_SECONDS
            self._alive += 1
            self._open(process)
        for lost in self._life.lost:
            self._agenda.plan(lost.span.at_seconds, partial(self._lose, lost))

    # Sizes

    def _act(self, target: int, telling: int) -> None:
        if telling > self._acted:
            self._acted, self._wanted = telling, target
            self._reconcile()

    def _reconcile(self) -> None:
        """Stop the highest numbers beyond what is wanted, or take the lowest free ones for what lacks."""
        for process in self._active()[self._most() :]:
            self._stop(process)
        self._fill()

    def _fill(self) -> None:
        for number in self._free_numbers(self._most() - len(self._active())):
            self._start_later(self._add(number))

    def _active(self) -> list[SimulatedProcess]:
        return [self._processes[number] for number in sorted(self._processes) if self._processes[number].state != "draining"]

    def _most(self) -> int:
        return min(self._wanted, 1) if self.process_type.is_singleton else self._wanted

    def _free_numbers(self, count: int) -> list[int]:
        """Choose numbers for new processes; a singleton waits for the end of the last one."""
        if count <= 0 or (self.process_type.is_singleton and self._processes):
            return []
        numbers = (number for number in range(1, len(self._processes) + count + 1) if number not in self._processes)
        return [next(numbers) for _ in range(count)]

    def _add(self, number: int) -> SimulatedProcess:
        process = SimulatedProcess(number, next(self._serials))
        self._processes[number] = process
        return process

    def _remove(self, process: SimulatedProcess) -> None:
        """Give a number free; what failed under it counts for a while."""
        process.serial = next(self._serials)
        del self._processes[process.number]
        failed = self._history.retire(process.number, process.failures, process.failed_at)
        if failed:
            self._agenda.plan(self.now + MEMORY_SECONDS, partial(self._history.forget, failed))
        if self.process_type.is_singleton:
            self._fill()

    # Starts

    def _start_later(self, process: SimulatedProcess) -> None:
        """Start a new process: now, or after a pause when those before it failed."""
        process.failures = self._history.recall_failures(self.now)
        if process.failures:
            self._restart(process)
        else:
            self._start(process)

    def _restart(self, process: SimulatedProcess) -> None:
        delay = restart_delay(process.failures, float(self._chance.random()))
        self._agenda.plan(self.now + delay, partial(self._start, process), process)

    def _start(self, process: SimulatedProcess) -> None:
        process.serial = next(self._serials)
        process.state = "starting"
        process.start, process.started_at = self._history.begin(process.number), self.now
        self._alive += 1
        self.usage.starts += 1
        startup = float(self._life.startup.draw(self._chance, 1)[0])
        timeout = start_timeout(self.process_type, self._history.startup_seconds)
        if startup > timeout:
            self._agenda.plan(self.now + timeout, partial(self._be_late, process), process)
        self._plan_start(process, self.now + startup)

    def _plan_start(self, process: SimulatedProcess, ready_at: float) -> None:
        """Let a process become ready, and end if this is a start that fails."""
        failing = self._failing()
        if failing is None or failing.lives_seconds is not None:
            self._agenda.plan(ready_at, partial(self._become_ready, process), process)
        if failing is not None:
            self._agenda.plan(ready_at + (failing.lives_seconds or 0.0), partial(self._end_unasked, process), process)

    def _failing(self) -> FailingStarts | None:
        """Draw whether a start of this moment fails."""
        for one in self._life.failing:
            if one.span.holds(self.now) and float(self._chance.random()) < one.share:
                return one
        return None

    def _become_ready(self, process: SimulatedProcess) -> None:
        self._history.add_startup(self.now - process.started_at)
        self._agenda.plan(max(self.now, process.started_at + SETTLED_SECONDS), partial(self._settle, process), process)
        self._open(process)

    def _open(self, process: SimulatedProcess) -> None:
        process.state = "running"
        if process.start is not None:
            process.start.is_ready = True
        self.ready += 1
        self.queue.open(process.serial, self.process_type.slots)
        if self._life.lifetime is not None:
            lifetime = float(self._life.lifetime.draw(self._chance, 1)[0])
            self._agenda.plan(self.now + lifetime, partial(self._end_unasked, process), process)

    def _settle(self, process: SimulatedProcess) -> None:
        process.failures = 0
        if process.start is not None:
            self._history.settle(process.start)

    def _be_late(self, process: SimulatedProcess) -> None:
        process.state = "failed"
        if process.start is not None:
            process.start.has_failed = True

    # Ends

    def _stop(self, process: SimulatedProcess) -> None:
        """Tell a process to stop: one with work in hand finishes it, or is killed at its stop timeout."""
        self.usage.stops += process.is_alive
        if not process.is_ready:
            self._leave(process)
            return
        process.state = "draining"
        ends, deadline = self.queue.drain(process.serial), self.now + self.process_type.stop_timeout_seconds
        if ends <= self.now:
            self._leave(process)
        elif ends <= deadline:
            self._agenda.plan(ends, partial(self._leave, process), process)
        else:
            self._agenda.plan(deadline, partial(self._kill, process), process)

    def _kill(self, process: SimulatedProcess) -> None:
        self.usage.drains_killed += 1
        self.usage.jobs_killed += self._exit(process)
        self._remove(process)

    def _leave(self, process: SimulatedProcess) -> None:
        self._exit(process)
        self._remove(process)

    def _exit(self, process: SimulatedProcess) -> int:
        """End the present run; return how many jobs it had in hand, which go back to the queue, or are lost."""
        jobs = self.queue.close(process.serial, returns=self._life.returns_work) if process.is_ready else 0
        self.ready -= process.is_ready
        self._alive -= process.is_alive
        process.start = None
        return jobs

    def _end_unasked(self, process: SimulatedProcess) -> None:
        """Let a process die by itself, and start it again after a pause that grows with its failures; one that drains is gone."""
        if process.state == "draining":
            self._leave(process)
            return
        start, lived, was_ready = process.start, self.now - process.started_at, process.is_ready
        self._crash(process)
        if start is not None:
            start.has_failed = not was_ready or lived < SETTLED_SECONDS
        process.failures = 1 if lived >= SETTLED_SECONDS else process.failures + 1
        process.state, process.failed_at = "failed", self.now
        self._restart(process)

    def _crash(self, process: SimulatedProcess) -> None:
        self._exit(process)
        self.usage.crashes += 1
        process.serial = next(self._serials)

    def _lose(self, lost: LostHost) -> None:
        """Lose the processes of a host, and find its places again when the host is back."""
        alive = [process for process in self._processes.values() if process.is_alive]
        for process in alive[: math.ceil(lost.share * len(alive) - _ROUNDING)]:
            if process.state == "draining":
                self._leave(process)
                continue
            self._crash(process)
            process.state = "unknown"
            self._agenda.plan(max(self.now, lost.span.ends), partial(self._start, process), process)

    # Show

    def _describe(self) -> TypeFormation:
        processes = [self._processes[number] for number in sorted(self._processes)]
        counts = counts_of(processes, self._told, self._most())
        return TypeFormation(
            counts,
            tuple(Process(f"{self.process_type.name}.{process.number}", process.state) for process in processes),
            startup_seconds=self._history.startup_seconds,
            is_crash_looping=self._history.is_crash_looping(counts.running),
            starts=self.usage.starts,
            drains_killed=self.usage.drains_killed,
        )
