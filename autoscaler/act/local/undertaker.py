"""End processes with everything that descends from them, and see each run to its end."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from autoscaler.act.local.ground import Ground
from autoscaler.act.local.process_table import ProcessEntry, raise_if_exhausted, read_process, read_processes
from autoscaler.act.local.relatives import Relatives, Traces, find_relatives, has_zombie, reap
from autoscaler.act.local.slots import Run

_SWEEP_SECONDS = 5.0
_FORGOTTEN_SECONDS = 300.0
_RESCAN_SECONDS = 0.01
_MOST_SCANS = 3
_RETRY_SECONDS = 0.25  # after the process table could not be read
_LAST_SCANS = 100  # when the supervisor itself has failed


@dataclass(frozen=True, slots=True)
class Witness:
    """Who is told of the end of a leader, and of a whole run."""

    leader_ended: Callable[[Run], None]
    run_ended: Callable[[Run], None]


class Undertaker:
    """Keeps every run until its last descendant is gone; belongs to the loop's thread.

    The leader stays a zombie until then: so its pid, group and session cannot become somebody else's while they are signalled.
    """

    def __init__(self, ground: Ground, witness: Witness) -> None:
        """Begin with no runs."""
        self.runs: dict[int, Run] = {}  # by serial
        self._ground = ground
        self._witness = witness
        self._traces = Traces()
        self._unsettled: dict[int, Run] = {}
        self._forgotten: dict[int, float] = {}  # pid of a zombie nobody knows -> first seen
        self._may_have_strays = False  # one that was just being born when its run ended
        self._sweep_later()

    def take(self, run: Run) -> None:
        """Answer for a run from its start."""
        self.runs[run.serial] = run
        self._traces.sessions[run.pid] = run.serial
        self._traces.pipes[run.stream.pipe] = run.serial
        self._ground.loop.watch(run.child.pidfd, lambda: self._leader_ended(run))

    def stop(self, runs: Iterable[Run]) -> None:
        """Send each group its one TERM; a run that outlives its stop timeout is killed. One whose leader is dead is being ended already."""
        stopping = [run for run in runs if run.status is None and not run.is_group_told]
        if not stopping:
            return
        # Afterwards a descendant that left the session is an orphan that nothing leads back to.
        try:
            self._look_for_descendants(stopping)
        except OSError as error:
            self._tell_of_trouble(error)  # they are looked for again when their leaders have ended
        for run in stopping:
            self._signal_group(run, signal.SIGTERM)
            run.is_group_told = True
            self._set_deadline(run)

    def kill(self, run: Run) -> None:
        """Kill the group and every descendant at once, those born meanwhile too."""
        run.is_killed = True
        self._signal_group(run, signal.SIGKILL)
        _signal_descendants(run, signal.SIGKILL)
        self._unsettled[run.serial] = run

    def settle(self) -> None:
        """Look what became of the runs whose leader ended or that were killed; called after each round of the loop."""
        if self._unsettled:
            runs, self._unsettled = self._unsettled, {}
            try:
                relatives = self._find_relatives()
                for run in runs.values():
                    self._settle(run, relatives)
            except OSError as error:
                self._tell_of_trouble(error)
                self._ground.loop.at(self._ground.loop.now() + _RETRY_SECONDS, lambda: self._look_again(runs))

    def find_strays(self) -> bool:
        """Kill what carries our marker and belongs to no run any more; True when there was any."""
        try:
            return bool(self._find_relatives().strays)
        except OSError:
            return True  # nobody knows

    def end_all_at_once(self) -> None:
        """Kill everything that is left, for a second or so: the last resort when the supervisor itself has failed."""
        for _ in range(_LAST_SCANS):
            if not self._kill_everything():
                break
            time.sleep(_RESCAN_SECONDS)
        for run in self.runs.values():
            run.child.process.poll()

    def _kill_everything(self) -> bool:
        """Kill every group and every descendant once; True when there was, or may have been, anything alive."""
        for run in self.runs.values():
            self._signal_group(run, signal.SIGKILL)
        try:
            relatives = self._find_relatives()
            leaders = [read_process(run.pid) for run in self.runs.values()]
        except OSError:
            return True
        descendants = [entry for entries in relatives.alive.values() for entry in entries]
        for entry in descendants:
            _kill_entry(entry)
        return bool(descendants or relatives.strays) or any(leader is not None and leader.is_alive for leader in leaders)

    def _leader_ended(self, run: Run) -> None:
        self._ground.loop.unwatch(run.child.pidfd)
        run.status = _read_status(run.child.pidfd)
        run.ended_at = self._ground.loop.now()
        self._unsettled[run.serial] = run
        self._witness.leader_ended(run)

    def _settle(self, run: Run, relatives: Relatives) -> None:
        alive = relatives.alive.get(run.serial, [])
        self._wait_for(run, alive)
        if run.is_killed:
            _signal_descendants(run, signal.SIGKILL)
        if run.status is None:
            return
        run.scans += 1
        if run.descendants:
            self._end_descendants(run, alive)
        elif (alive or relatives.has_zombies) and run.scans < _MOST_SCANS:
            # One that just died may have left a child that this table does not show yet.
            self._ground.loop.at(self._ground.loop.now() + _RESCAN_SECONDS, lambda: self._look_again({run.serial: run}))
        else:
            self._finish(run)

    def _look_again(self, runs: Mapping[int, Run]) -> None:
        self._unsettled.update({serial: run for serial, run in runs.items() if serial in self.runs})

    def _tell_of_trouble(self, error: OSError) -> None:
        self._ground.happenings.tell(f"the descendants of the local processes cannot be looked for: {error.strerror}; it is tried again")

    def _end_descendants(self, run: Run, alive: list[ProcessEntry]) -> None:
        """Ask those who got no TERM yet to end; those in the group got theirs with it."""
        if not run.is_group_told and not run.told:
            self._tell_of_leftovers(run)
        for entry in alive:
            has_heard = entry.pid in run.told or (run.is_group_told and entry.group == run.pid)
            if not has_heard and entry.pid in run.descendants:
                run.told.add(entry.pid)
                _signal(run.descendants[entry.pid], signal.SIGTERM)
        self._set_deadline(run)

    def _tell_of_leftovers(self, run: Run) -> None:
        pids = ", ".join(str(pid) for pid in sorted(run.descendants))
        name = run.slot.name
        if run.status == 0:
            run.slot.note = f"{name} put itself into the background (pid {pids}); run it in the foreground"
        else:
            run.slot.note = f"{name} left processes behind when it ended (pid {pids}); they are ended before it is started again"
        self._ground.happenings.tell(run.slot.note)
        self._ground.roster.touch(run.slot.type_state)

    def _set_deadline(self, run: Run) -> None:
        if run.deadline is None:
            when = self._ground.loop.now() + run.process_type.stop_timeout_seconds
            run.deadline = self._ground.loop.at(when, lambda: self._kill_overdue(run))

    def _kill_overdue(self, run: Run) -> None:
        if run.serial not in self.runs or run.is_killed:
            return
        state = run.slot.type_state
        state.drains_killed += 1
        self._ground.roster.touch(state)
        self._ground.happenings.tell(
            f"{run.slot.name} was killed: it did not end within {run.process_type.stop_timeout_seconds:g} s of SIGTERM (stop_timeout)"
        )
        self.kill(run)

    def _finish(self, run: Run) -> None:
        """Let go of a run whose every process is gone."""
        self._signal_group(run, signal.SIGKILL)  # for one that was born while the table was read
        run.child.process.wait()
        os.close(run.child.pidfd)
        for timer in (run.deadline, *run.timers):
            if timer is not None:
                timer.cancel()
        del self.runs[run.serial], self._traces.sessions[run.pid], self._traces.pipes[run.stream.pipe]
        self._may_have_strays = True
        self._ground.outputs.finish(run.stream)
        self._witness.run_ended(run)

    def _look_for_descendants(self, runs: list[Run]) -> None:
        relatives = self._find_relatives()
        for run in runs:
            self._wait_for(run, [entry for entry in relatives.alive.get(run.serial, []) if entry.session != run.pid])

    def _wait_for(self, run: Run, alive: list[ProcessEntry]) -> None:
        """Hold a descriptor of each descendant, which tells its end and cannot come to mean another process."""
        for entry in alive:
            pidfd = None if entry.pid in run.descendants else _open(entry)
            if pidfd is not None:
                run.descendants[entry.pid] = pidfd
                self._ground.loop.watch(pidfd, partial(self._descendant_ended, run, entry.pid, pidfd))

    def _descendant_ended(self, run: Run, pid: int, pidfd: int) -> None:
        self._ground.loop.unwatch(pidfd)
        reap(os.P_PIDFD, pidfd)
        os.close(pidfd)
        del run.descendants[pid]
        if not run.descendants:
            self._unsettled[run.serial] = run

    def _find_relatives(self) -> Relatives:
        """Read the process table; dead orphans of ours are reaped and strays killed on the way."""
        leaders = {run.pid for run in self.runs.values()}
        relatives = find_relatives(read_processes(), self._ground, self._traces, leaders)
        for entry in relatives.strays:
            self._ground.happenings.tell(f"a process left behind in the background was killed (pid {entry.pid})")
            _kill_entry(entry)
        return relatives

    def _sweep_later(self) -> None:
        self._ground.loop.at(self._ground.loop.now() + _SWEEP_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Reap the orphans that come to us because we are a subreaper, so that they do not use up the process numbers."""
        self._sweep_later()
        if self._may_have_strays or has_zombie():
            now = self._ground.loop.now()
            strangers = {entry.pid for entry in self._find_relatives().strange_zombies}
            self._may_have_strays = False
            self._forgotten = {pid: self._forgotten.get(pid, now) for pid in strangers}
            # Whoever starts processes in this program waits for them long before this.
            for pid in [pid for pid, seen in self._forgotten.items() if now - seen > _FORGOTTEN_SECONDS]:
                reap(os.P_PID, pid)

    def _signal_group(self, run: Run, number: signal.Signals) -> None:
        try:
            os.killpg(run.pid, number)
        except ProcessLookupError:
            return
        except PermissionError:
            self._ground.happenings.tell(f"{run.slot.name} cannot be sent {number.name}: it runs as another user")


def _open(entry: ProcessEntry) -> int | None:
    """Open a descriptor of this very process; None when it is gone or its number was given away."""
    try:
        pidfd = os.pidfd_open(entry.pid)
    except OSError as error:
        raise_if_exhausted(error)
        return None
    is_it = False
    try:
        found = read_process(entry.pid)
        is_it = found is not None and found.is_alive and found.started == entry.started
    finally:
        if not is_it:
            os.close(pidfd)
    return pidfd if is_it else None


def _kill_entry(entry: ProcessEntry) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(entry.pid, signal.SIGKILL)


def _signal_descendants(run: Run, number: signal.Signals) -> None:
    for pidfd in run.descendants.values():
        _signal(pidfd, number)


def _signal(pidfd: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        signal.pidfd_send_signal(pidfd, number)


def _read_status(pidfd: int) -> int:
    """Return how a child ended and leave it a zombie: its exit status, or the negative number of the signal."""
    try:
        result = os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return 0  # somebody else in this program waited for it
    if result is None:
        return 0
    return result.si_status if result.si_code == os.CLD_EXITED else -result.si_status
