"""Sort the process table into what belongs to which run, what belongs to none any more, and the dead."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from autoscaler.act.local.ground import Ground
from autoscaler.act.local.process_table import Ancestry, ProcessEntry, read_marker, read_outputs


@dataclass(slots=True)
class Relatives:
    """The descendants of this program that live, by run, and what else was found."""

    alive: dict[int, list[ProcessEntry]] = field(default_factory=dict)  # by serial, without the leaders
    strays: list[ProcessEntry] = field(default_factory=list)  # alive and ours, of a run that is over
    strange_zombies: list[ProcessEntry] = field(default_factory=list)  # dead children that no run explains
    has_zombies: bool = False


@dataclass(slots=True)
class Traces:
    """What tells the run of a process: its session, its marker, and the pipe of its output for one that cleared its environment."""

    sessions: dict[int, int] = field(default_factory=dict)  # session -> serial
    pipes: dict[tuple[int, int], int] = field(default_factory=dict)  # device and inode -> serial

    def find_orphan(self, pid: int, ground: Ground) -> int | None:
        """Return the run of an orphan; None when nothing leads to one."""
        return ground.serial_of(read_marker(pid)) or next((self.pipes[each] for each in read_outputs(pid) if each in self.pipes), None)


def find_relatives(processes: Mapping[int, ProcessEntry], ground: Ground, traces: Traces, leaders: Collection[int]) -> Relatives:
    """Sort one process table; dead children that belong to a run are reaped, all others are left to whoever started them."""
    owners = Ancestry(processes, ground.own_pid, traces.sessions, lambda pid: traces.find_orphan(pid, ground)).find_owners()
    serials = set(traces.sessions.values())
    found = Relatives()
    # A descendant that made a session of its own explains the dead of that session.
    sessions_now = {processes[pid].session: serial for pid, serial in owners.items() if processes[pid].is_alive}
    for entry in processes.values():
        if entry.pid in leaders or entry.pid == ground.own_pid:
            continue
        serial = owners.get(entry.pid, sessions_now.get(entry.session))
        if not entry.is_alive:
            _sort_zombie(entry, found, ground.own_pid, is_ours=serial is not None)
        elif serial in serials:
            found.alive.setdefault(serial, []).append(entry)
        elif entry.pid in owners:
            found.strays.append(entry)
    return found


def reap(kind: int, number: int) -> None:
    """Take the exit status of one dead child, named by pid or pidfd; harmless when it is not ours to take."""
    with contextlib.suppress(ChildProcessError):
        os.waitid(kind, number, os.WEXITED | os.WNOHANG)


def has_zombie() -> bool:
    """Tell whether any child of this program is dead and not waited for."""
    try:
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return False


def _sort_zombie(entry: ProcessEntry, found: Relatives, own_pid: int, *, is_ours: bool) -> None:
    if entry.parent != own_pid:
        return
    found.has_zombies = True
    if is_ours:
        reap(os.P_PID, entry.pid)
    else:
        found.strange_zombies.append(entry)
