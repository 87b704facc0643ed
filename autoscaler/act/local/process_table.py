"""Find out from /proc which processes of this machine descend from which of ours."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from autoscaler.act.local.environment import MARKER

_GONE = frozenset({"Z", "X", "x"})


@dataclass(frozen=True, slots=True)
class ProcessEntry:
    """One line of the process table."""

    pid: int
    state: str
    parent: int
    group: int
    session: int

    @property
    def is_alive(self) -> bool:
        """Tell whether it runs; a zombie does not."""
        return self.state not in _GONE


def read_processes() -> dict[int, ProcessEntry]:
    """Read the whole process table, by pid; processes that vanish meanwhile are left out."""
    names = os.listdir("/proc")  # noqa: PTH208 - a Path for each process costs more than reading it
    entries = (read_process(int(name)) for name in names if name.isdigit())
    return {entry.pid: entry for entry in entries if entry}


def read_process(pid: int) -> ProcessEntry | None:
    """Read one process; None when there is none of this number."""
    try:
        # The name in parentheses may hold anything, parentheses too: what follows the last one is safe to split.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return ProcessEntry(pid, fields[0].decode(), int(fields[1]), int(fields[2]), int(fields[3]))


def read_marker(pid: int) -> str:
    """Return our variable in the environment a process was started with; empty for zombies, strangers and kernel threads."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return ""
    key = f"{MARKER}=".encode()
    return next((entry.removeprefix(key).decode(errors="replace") for entry in environment.split(b"\0") if entry.startswith(key)), "")


@dataclass(frozen=True, slots=True)
class Ancestry:
    """Knows how to tell the start (by serial number) that a process descends from."""

    processes: Mapping[int, ProcessEntry]
    own_pid: int
    sessions: Mapping[int, int]  # session -> serial
    serial_of_marker: Callable[[str], int | None]

    def find_owners(self) -> dict[int, int]:
        """Map the pid of every descendant to its serial number.

        Its session tells, else its parent's owner; for an orphan, which a subreaper inherits, the marker in its environment.
        """
        known: dict[int, int | None] = {}
        for pid in self.processes:
            self._find_owner(pid, known)
        return {pid: serial for pid, serial in known.items() if serial is not None}

    def _find_owner(self, pid: int, known: dict[int, int | None]) -> None:
        path: list[int] = []
        owner: int | None = None
        while pid not in known and pid in self.processes and pid != self.own_pid:
            entry = self.processes[pid]
            path.append(pid)
            known[pid] = None  # a table read while processes come and go may hold a circle
            owner = self.sessions.get(entry.session)
            if owner is None and entry.parent == self.own_pid:
                owner = self.serial_of_marker(read_marker(pid))
            if owner is not None:
                break
            pid = entry.parent
        else:
            owner = known.get(pid)
        for visited in path:
            known[visited] = owner
