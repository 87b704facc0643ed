"""Start processes, tell when they are ready, and start them again when they end unasked."""

from __future__ import annotations

import errno
import os
import random
import signal
from collections import deque
from collections.abc import Callable

from autoscaler.act.backend import BackendError
from autoscaler.act.local.environment import Identity, make_environment
from autoscaler.act.local.ground import Ground
from autoscaler.act.local.listening import require_free_port
from autoscaler.act.local.readiness import Readiness
from autoscaler.act.local.slots import Run, Slot
from autoscaler.act.local.spawn import Child, Launch, spawn
from autoscaler.act.starts import SETTLED_SECONDS, Start, restart_delay, start_timeout

_COLOURS = (36, 33, 32, 35, 31, 34, 96, 93, 92, 95, 91, 94)  # one a process type, in turn
_STARTS_PER_ROUND = 16  # between them output and ends are served
_REMEDIES = {
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.E2BIG: "make its command or environment smaller",
    errno.EAGAIN: "raise the limit of processes (ulimit -u)",
    errno.ENOMEM: "lower the maximum, or add memory",
}
_HINTS = {126: " (it cannot be executed)", 127: " (command not found)"}


class Starter:
    """Brings slots to life; belongs to the loop's thread."""

    def __init__(self, ground: Ground, started: Callable[[Run], None]) -> None:
        """Call ``started`` with each new run."""
        self._ground = ground
        self._started = started
        self._readiness = Readiness(ground, self._ready)
        self._waiting: deque[Slot] = deque()
        self._blocked: list[Slot] = []  # until a port comes free
        self._held: dict[int, Slot] = {}  # who has which port
        self._serial = 0

    def begin(self, slot: Slot) -> None:
        """Start the process of a new slot: soon, or after a pause when those before it failed."""
        slot.failures = slot.type_state.history.recall_failures(self._ground.loop.now())
        if slot.failures:
            self._request_later(slot)
        else:
            self.request(slot)

    def request(self, slot: Slot) -> None:
        """Start the process of a slot soon."""
        slot.state = "starting"
        self._waiting.append(slot)
        self._ground.roster.touch(slot.type_state)

    def run_some(self) -> None:
        """Start some of what was requested; called after each round of the loop."""
        for _ in range(min(len(self._waiting), _STARTS_PER_ROUND)):
            slot = self._waiting.popleft()
            if slot.run is None and not slot.is_retired:
                self._start(slot)
        if self._waiting:
            self._ground.loop.call(lambda: None)  # go on in the next round

    def leader_ended(self, run: Run) -> None:
        """Take in that a process ended; one that was not told to has failed."""
        self._readiness.forget(run.serial)
        for timer in run.timers:
            timer.cancel()
        if not run.slot.is_retired:
            run.slot.state = "failed"
            run.start.has_failed = run.ready_at is None or run.ended_at - run.started_at < SETTLED_SECONDS
            if run.ended_at - run.started_at >= SETTLED_SECONDS:
                run.slot.failures = 0
        self._ground.roster.touch(run.slot.type_state)

    def restart(self, slot: Slot, cause: str) -> None:
        """Start a slot again after a pause that grows with its failures; ``cause`` says what happened."""
        slot.state = "failed"
        slot.failures += 1
        slot.failed_at = self._ground.loop.now()
        delay = self._request_later(slot)
        self._ground.happenings.tell(f"{slot.name} {cause}; starting again in {delay:.1f} s")
        self._ground.roster.touch(slot.type_state)

    def run_ended(self, run: Run) -> None:
        """Give the ports of a run free, to those who wait for them."""
        for port in run.ports:
            del self._held[port]
        self._waiting += self._blocked
        self._blocked.clear()
        self._ground.loop.call(lambda: None)  # start them in the next round

    def close(self) -> None:
        """Start nothing more."""
        self._waiting.clear()
        self._blocked.clear()
        self._readiness.close()

    def _start(self, slot: Slot) -> None:
        state = slot.type_state
        ports = self._choose_ports(slot)
        taken = next((port for port in ports if port in self._held), None)
        if taken is not None:
            self._wait(slot, taken)
            return
        start = state.history.begin(slot.number)
        state.starts += 1
        self._serial += 1
        try:
            child = spawn(self._launch(slot))
        except (OSError, ValueError, BackendError) as error:
            start.has_failed = True
            self._readiness.forget(self._serial)
            self.restart(slot, f"cannot be started: {_describe_refusal(error)}")
        else:
            self._watch(slot, child, start, ports)

    def _request_later(self, slot: Slot) -> float:
        """Start a slot after a pause; return its seconds."""
        delay = restart_delay(slot.failures, random.random())  # noqa: S311 - spreads restarts, guards nothing
        slot.restart = self._ground.loop.at(self._ground.loop.now() + delay, lambda: self.request(slot))
        return delay

    def _choose_ports(self, slot: Slot) -> tuple[int, ...]:
        """Set the ports as everything is configured now; return those that no other process may have."""
        state, numbering = slot.type_state, self._ground.ports
        listener = self._ground.listeners.of(state.process_type)
        slot.metrics_port = numbering.metrics_port_of(state.index, slot.number)
        slot.port = listener.getsockname()[1] if listener else numbering.port_of(state.index, slot.number)
        return (slot.metrics_port,) if listener else (slot.port, slot.metrics_port)

    def _wait(self, slot: Slot, port: int) -> None:
        """Leave a slot until the process that has its port ends."""
        owner = self._held[port]
        note = f"{slot.name} waits for port {port} of {owner.name}, which {'drains' if owner.is_retired else 'has it from before a reload'}"
        if slot.note != note:
            slot.note = note
            self._ground.happenings.tell(note)
            self._ground.roster.touch(slot.type_state)
        self._blocked.append(slot)

    def _launch(self, slot: Slot) -> Launch:
        process_type = slot.type_state.process_type
        if process_type.socket == "port":
            require_free_port(slot.port)
        identity = Identity(
            name=slot.name,
            port=slot.port,
            metrics_port=slot.metrics_port,
            marker=self._ground.mark(self._serial, slot.name),
            notify_socket=self._readiness.open_notify_socket(self._serial) if process_type.ready == "notify" else None,
        )
        environment = make_environment(os.environ, process_type.environment, identity)
        return Launch(process_type.command or "", self._ground.folder, environment, self._ground.listeners.of(process_type))

    def _watch(self, slot: Slot, child: Child, start: Start, ports: tuple[int, ...]) -> None:
        run = Run(
            serial=self._serial,
            slot=slot,
            process_type=slot.type_state.process_type,
            child=child,
            stream=self._ground.outputs.open(child.output, slot.name, _COLOURS[slot.type_state.index % len(_COLOURS)]),
            start=start,
            started_at=self._ground.loop.now(),
            ports=ports,
        )
        slot.run = run
        self._held.update(dict.fromkeys(ports, slot))
        self._started(run)
        self._readiness.watch(run)
        timeout_seconds = start_timeout(run.process_type, slot.type_state.history.startup_seconds)
        run.timers.append(self._ground.loop.at(run.started_at + timeout_seconds, lambda: self._late(run, timeout_seconds)))
        self._ground.roster.touch(slot.type_state)

    def _ready(self, run: Run) -> None:
        if run.status is not None or run.slot.is_retired:
            return
        now = self._ground.loop.now()
        run.ready_at = now
        run.start.is_ready = True
        run.slot.state = "running"
        run.slot.note = None
        run.slot.type_state.history.add_startup(now - run.started_at)
        run.timers.append(self._ground.loop.at(max(now, run.started_at + SETTLED_SECONDS), lambda: self._settled(run)))
        self._ground.roster.touch(run.slot.type_state)

    def _settled(self, run: Run) -> None:
        run.slot.failures = 0
        run.slot.type_state.history.settle(run.start)
        self._ground.roster.touch(run.slot.type_state)

    def _late(self, run: Run, timeout_seconds: float) -> None:
        """Count a process that does not become ready as failed; it may still come."""
        if run.ready_at is not None or run.slot.is_retired:
            return
        run.slot.state = "failed"
        run.start.has_failed = True
        rule = f"port: nothing answers on 127.0.0.1:{run.slot.port}" if run.process_type.ready == "port" else "notify: no READY=1 came"
        run.slot.note = f"{run.slot.name} is not ready after {timeout_seconds:g} s (ready: {rule})"
        self._ground.happenings.tell(run.slot.note)
        self._ground.roster.touch(run.slot.type_state)


def _describe_refusal(error: Exception) -> str:
    """Say why a process cannot be started, and what to do."""
    if isinstance(error, FileNotFoundError | NotADirectoryError | PermissionError):
        return f"its folder {error.filename} cannot be entered ({error.strerror}); make it again"
    if isinstance(error, OSError):
        return f"{error.strerror}; {_REMEDIES.get(error.errno or 0, 'end what holds the machine back')}"
    return f"{error}; correct its command or environment" if isinstance(error, ValueError) else str(error)


def describe_end(run: Run) -> str:
    """Say how a run ended: ``exited with status 1 after 0.3 s``."""
    after = f"after {run.ended_at - run.started_at:.1f} s"
    status = run.status or 0
    if status >= 0:
        return f"exited with status {status}{_HINTS.get(status, '')} {after}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"was ended by {name} {after}"
