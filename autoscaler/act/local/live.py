"""Be the backend of local processes: hand changes to the supervisor's thread, and show what it published."""

from __future__ import annotations

import atexit
import ctypes
import resource
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from autoscaler.act.backend import BackendError
from autoscaler.act.event_loop import EventLoop
from autoscaler.act.free_memory import with_free_memory
from autoscaler.act.happenings import Happenings
from autoscaler.act.local.formation_json import read_formation
from autoscaler.act.local.formation_lock import ask_formation, lock_formation
from autoscaler.act.local.ground import Ground
from autoscaler.act.local.listening import Listeners
from autoscaler.act.local.outlook import look
from autoscaler.act.local.slots import TypeState
from autoscaler.act.local.streams import Outputs
from autoscaler.act.local.supervisor import Plan, Supervisor
from autoscaler.act.local.writer import OutputWriter
from autoscaler.act.ports import Ports
from autoscaler.act.roster import Roster
from autoscaler.clock import SystemClock
from autoscaler.model import Change, Counts, Formation, Outcome, ProcessType, TypeFormation

_PR_SET_CHILD_SUBREAPER = 36
_PR_GET_CHILD_SUBREAPER = 37
_ATTENTION_SECONDS = 0.02  # how soon a closing backend sees that it should hurry
_RELOAD_SECONDS = 10.0
_LAST_OUTPUT_SECONDS = 1.0
_DESCRIPTORS_PER_PROCESS = 4
_OTHER_DESCRIPTORS = 256
_SHORTEST_WIDTH = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the configuration asks for, checked but with nothing opened yet."""

    process_types: tuple[ProcessType, ...]  # each with its command
    procfile: Path  # absolute; names the formation even where there is no such file
    ports: Ports
    output: int = 1


class LiveLocal:
    """The running local formation. Its processes are children of this program and end with it."""

    def __init__(self, wish: Wish) -> None:
        """Lock the formation, open its sockets and start the supervisor; raise ``BackendError`` with nothing left open."""
        self._wish = wish
        self._happenings = Happenings()
        self._roster: Roster[TypeState] = Roster()
        self._listeners = Listeners()
        with ExitStack() as opened:
            opened.callback(self._listeners.close)
            plan = self._open(wish, None, opened)
            self._loop = EventLoop(SystemClock(), self._happenings.tell)
            opened.callback(self._loop.close)
            self._writer = OutputWriter(wish.output, self._happenings.tell, self._resume)
            opened.pop_all()
        self._outputs = Outputs(self._loop, self._writer, has_colour=self._writer.has_colour)
        ground = Ground(self._loop, self._roster, self._outputs, self._happenings, self._listeners, plan.folder, plan.ports)
        self._supervisor = Supervisor(ground, plan)
        self._was_subreaper = _become_subreaper()
        self._thread = Thread(target=self._supervisor.run, name="autoscaler-local", daemon=True)
        self._writer.start()
        self._thread.start()
        self._is_closed = False
        atexit.register(self._close_at_exit)

    @property
    def is_closed(self) -> bool:
        """Tell whether it was closed, or its supervisor has failed."""
        return self._is_closed or not self._thread.is_alive()

    def observe(self) -> Formation:
        """Return what runs now, as the supervisor last published it, with who calls and what memory is free at this moment."""
        self._check()
        return Formation(look(self._roster, self._listeners), self._happenings.take())

    def scale(self, changes: tuple[Change, ...]) -> tuple[Outcome, ...]:
        """Set how many processes should run, and return before any is started or stopped."""
        self._check()
        states = self._roster.set_desired({change.process_type: change.target for change in changes if change.target >= 0})
        self._loop.call(lambda: self._supervisor.reconcile(list(states.values())))
        return tuple(_answer(change, is_known=change.process_type in states) for change in changes)

    def wake_with(self, call: Callable[[], None]) -> None:
        """Call ``call`` on the supervisor's thread whenever a connection comes to a type that has no process."""
        self._loop.call(lambda: self._supervisor.wake_with(call))

    def close(self, hurry: Event) -> None:
        """End every process: TERM, its stop timeout, KILL; all at once when ``hurry`` is set. Harmless when closed."""
        if self._is_closed:
            return
        self._is_closed = True
        atexit.unregister(self._close_at_exit)
        self._loop.call(self._supervisor.close)
        while self._thread.is_alive() and not hurry.is_set():
            self._thread.join(_ATTENTION_SECONDS)
        if hurry.is_set():
            self._loop.call(self._supervisor.hurry)
        self._thread.join()
        for sentence in self._happenings.take():  # nobody observes any more
            self._outputs.write("autoscaler", sentence)
        self._writer.close(_LAST_OUTPUT_SECONDS)
        _set_subreaper(self._was_subreaper)

    def reload(self, wish: Wish) -> None:
        """Take over a new configuration, keeping the processes; raise ``BackendError`` with everything as it was."""
        self._check()
        with ExitStack() as opened:
            plan = self._open(wish, self._wish, opened)
            opened.pop_all()
        is_done = Event()
        self._loop.call(lambda: self._supervisor.reload(plan, is_done))
        self._wish = wish
        if not is_done.wait(_RELOAD_SECONDS):
            raise BackendError("the supervisor of the local processes does not answer; end this autoscaler and start it again")

    def _open(self, wish: Wish, held: Wish | None, opened: ExitStack) -> Plan:
        """Open what the new wish needs beyond what is held; the lock goes on the stack in case an address cannot be had."""
        lock = None
        if held is None or held.procfile != wish.procfile:
            lock = opened.enter_context(lock_formation(wish.procfile))
        self._listeners.want(wish.process_types)
        _allow_descriptors(sum(each.maximum for each in wish.process_types))
        return Plan(process_types=wish.process_types, folder=wish.procfile.parent, ports=wish.ports, width=_find_width(wish.process_types), lock=lock)

    def _resume(self) -> None:
        """Read the children's output again; called by the writer's thread."""
        self._loop.call(self._outputs.resume)

    def _check(self) -> None:
        if self._is_closed:
            raise BackendError("the local formation is closed")
        if not self._thread.is_alive():
            raise BackendError("the supervisor of the local processes has failed and ended them; start this autoscaler again")

    def _close_at_exit(self) -> None:
        """Leave nothing behind when the program ends without closing."""
        at_once = Event()
        at_once.set()
        self.close(at_once)


class ObservedLocal:
    """A look at the local formation, run by another autoscaler or by none."""

    def __init__(self, process_types: tuple[ProcessType, ...], procfile: Path) -> None:
        """Know whom to ask."""
        self._process_types = process_types
        self._procfile = procfile

    def observe(self) -> Formation:
        """Ask the running autoscaler; zeros when none runs. Raise ``BackendError`` when it does not answer."""
        answer = ask_formation(self._procfile)
        known = read_formation(answer) if answer else {}
        nothing = with_free_memory({each.name: TypeFormation(Counts(desired=0)) for each in self._process_types}, self._process_types)
        return Formation({name: known.get(name, at_zero) for name, at_zero in nothing.items()})

    def scale(self, changes: tuple[Change, ...]) -> tuple[Outcome, ...]:
        """Refuse: who only looks changes nothing."""
        return tuple(Outcome(change.process_type, "this connection only observes") for change in changes)

    def close(self, hurry: Event) -> None:
        """Do nothing: there is nothing open."""


def _answer(change: Change, *, is_known: bool) -> Outcome:
    name = change.process_type
    if change.target < 0:
        return Outcome(name, f"{name}: {change.target} processes cannot run; ask for 0 or more")
    return Outcome(name, None if is_known else f"{name} is not a process type of this local formation; add it under formation:")


def _find_width(process_types: tuple[ProcessType, ...]) -> int:
    """Return Foreman's width of names: the longest type, a dot and the digits of the largest count; at least 6."""
    longest = max((len(each.name) for each in process_types), default=0)
    digits = len(str(max((each.maximum for each in process_types), default=0)))
    return max(_SHORTEST_WIDTH, longest + 1 + digits)


def _allow_descriptors(processes: int) -> None:
    """Raise this program's own soft limit of open files where so many processes need it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = _OTHER_DESCRIPTORS + _DESCRIPTORS_PER_PROCESS * processes
    if soft != resource.RLIM_INFINITY and needed > soft:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed if hard == resource.RLIM_INFINITY else min(hard, needed), hard))


def _become_subreaper() -> int:
    """Have orphaned descendants come to this program instead of to init; return what was set before."""
    before = ctypes.c_int(0)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(before), 0, 0, 0)
    _set_subreaper(1)
    return before.value


def _set_subreaper(value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, value, 0, 0, 0)
