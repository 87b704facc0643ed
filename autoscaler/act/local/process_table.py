"""Find out from /proc which processes of this machine descend from which of ours."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from autoscaler.act.local.environment import MARKER

_EXEC_READS = 10
_EXEC_SECONDS = 0.001
_GONE = frozenset({"Z", "X", "x"})
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})  # says nothing about the process that was asked for


@dataclass(frozen=True, slots=True)
class ProcessEntry:
    """One line of the process table."""

    pid: int
    state: str
    parent: int
    group: int
    session: int
    started: int = 0  # clock ticks since boot; with the pid it names a process for good

    @property
    def is_alive(self) -> bool:
        """Tell whether it runs; a zombie does not."""
        return self.state not in _GONE


def read_processes() -> dict[int, ProcessEntry]:
    """Read the whole process table, by pid; processes that vanish meanwhile are left out. Raise ``OSError`` when descriptors run out."""
    names = os.listdir("/proc")  # noqa: PTH208 - a Path for each process costs more than reading it
    entries = (read_process(int(name)) for name in names if name.isdigit())
    return {entry.pid: entry for entry in entries if entry}


def read_process(pid: int) -> ProcessEntry | None:
    """Read one process; None when there is none of this number. Raise ``OSError`` when descriptors run out."""
    try:
        # The name in parentheses may hold anything, parentheses too: what follows the last one is safe to split.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError as error:
        raise_if_exhausted(error)
        return None
    return ProcessEntry(pid, fields[0].decode(), int(fields[1]), int(fields[2]), int(fields[3]), int(fields[19]))


def read_outputs(pid: int) -> list[tuple[int, int]]:
    """Return device and inode of standard output and error of a process; nothing for one that is gone or somebody else's."""
    found: list[tuple[int, int]] = []
    for descriptor in (1, 2):
        with contextlib.suppress(OSError):
            seen = Path(f"/proc/{pid}/fd/{descriptor}").stat()
            found.append((seen.st_dev, seen.st_ino))
    return found


def raise_if_exhausted(error: OSError) -> None:
    """Raise the error again when this program has run out of descriptors or memory: then it does not mean that a process is gone."""
    if error.errno in _EXHAUSTED:
        raise error


def read_marker(pid: int) -> str:
    """Return our variable in the environment a living process was started with; empty for strangers."""
    key = f"{MARKER}=".encode()
    entries = _read_environment(pid).split(b"\0")
    return next((entry.removeprefix(key).decode(errors="replace") for entry in entries if entry.startswith(key)), "")


def _read_environment(pid: int) -> bytes:
    """Read the environment of a process; nothing for a zombie, and for one that is gone or somebody else's."""
    for _ in range(_EXEC_READS):
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError as error:
            raise_if_exhausted(error)
            return b""
        if environment:
            return environment
        time.sleep(_EXEC_SECONDS)  # in the middle of an exec the old environment is gone and the new one not yet there
    return b""


@dataclass(frozen=True, slots=True)
class Ancestry:
    """Knows how to tell the start (by serial number) that a process descends from."""

    processes: Mapping[int, ProcessEntry]
    own_pid: int
    sessions: Mapping[int, int]  # session -> serial
    serial_of_orphan: Callable[[int], int | None]  # by its pid

    def find_owners(self) -> dict[int, int]:
        """Map the pid of every descendant to its serial number.

        Its session tells, else its parent's owner; an orphan, which a subreaper inherits, is known by itself.
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
            if owner is None and entry.parent == self.own_pid and entry.is_alive:
                owner = self.serial_of_orphan(pid)
            if owner is not None:
                break
            pid = entry.parent
        else:
            owner = known.get(pid)
        for visited in path:
            known[visited] = owner
