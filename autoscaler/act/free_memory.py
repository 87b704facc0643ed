"""Find how much memory new processes can still have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from autoscaler.model import Process, ProcessType, TypeFormation

_KIB = 1024


@dataclass(frozen=True, slots=True)
class MemoryFiles:
    """Where the kernel tells of memory: of the machine, and of the control groups (cgroup v2) that this program runs in."""

    meminfo: Path = Path("/proc/meminfo")
    own_groups: Path = Path("/proc/self/cgroup")
    groups: Path = Path("/sys/fs/cgroup")


def with_free_memory(
    formations: Mapping[str, TypeFormation], process_types: Iterable[ProcessType], files: MemoryFiles = MemoryFiles()
) -> dict[str, TypeFormation]:
    """Tell each type that says what memory it needs how much is free, less what processes that are still starting will take."""
    needs = {each.name: each.memory_bytes for each in process_types if each.memory_bytes is not None and each.name in formations}
    free = read_free_memory(files) if needs else None
    if free is None:
        return dict(formations)
    promised = sum(needed * sum(map(_is_to_come, formations[name].processes)) for name, needed in needs.items())
    left = max(0, free - promised)
    return {name: replace(one, free_memory_bytes=left) if name in needs else one for name, one in formations.items()}


def read_free_memory(files: MemoryFiles) -> int | None:
    """Return the bytes that can be had without swapping: of the machine, or of a control group that allows less; None when nothing tells."""
    known = [_read_field(files.meminfo, "MemAvailable:"), *map(_read_room, _list_groups(files))]
    free = [number for number in known if number is not None]
    return max(0, min(free)) if free else None


def _is_to_come(process: Process) -> bool:
    """Tell whether a process has yet to take its memory: it starts, or it failed and waits for its next start."""
    return process.state == "starting" or (process.state == "failed" and process.metrics is None)


def _list_groups(files: MemoryFiles) -> list[Path]:
    """Return the folder of the group this program is in, and those of the groups around it."""
    lines = _read(files.own_groups).splitlines()
    own = next((PurePosixPath(line.removeprefix("0::")) for line in lines if line.startswith("0::/")), PurePosixPath("/"))
    if ".." in own.parts:  # outside of what this program is shown
        own = PurePosixPath("/")
    return [files.groups / group.relative_to("/") for group in (own, *own.parents)]


def _read_room(group: Path) -> int | None:
    """Return what is left of a group's limit; None when it has none. Pages of files that were not used of late can be had back."""
    limit, used = _read(group / "memory.max").strip(), _read(group / "memory.current").strip()
    if not (limit.isdecimal() and used.isdecimal()):
        return None
    return int(limit) - int(used) + (_read_field(group / "memory.stat", "inactive_file") or 0)


def _read_field(path: Path, name: str) -> int | None:
    """Return the number behind a name, in bytes."""
    for line in _read(path).splitlines():
        found, _, rest = line.partition(" ")
        value, _, unit = rest.strip().partition(" ")
        if found == name and value.isdecimal():
            return int(value) * (_KIB if unit == "kB" else 1)
    return None


def _read(path: Path) -> str:
    """Return what a file says; nothing when there is no such file, as on other kernels and in other containers."""
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text()
    return ""
