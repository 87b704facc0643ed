"""Choose which processes of a type to start, and which to stop."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice

from autoscaler.act.command.listing import Entry
from autoscaler.act.command.names import Names


def choose_starters(entries: Sequence[Entry], wanted: int, names: Names, name: str, *, is_complete: bool) -> list[Entry]:
    """Return up to ``wanted`` processes to start, lowest numbers first; what a complete list does not show cannot be started."""
    stopped = [each for each in entries if each.state == "stopped"]
    free = [*stopped, *([] if is_complete else islice(_unlisted(entries, names, name), wanted))]
    return sorted(free, key=lambda each: each.number)[:wanted]


def choose_leavers(entries: Sequence[Entry], spare: int, loads: Mapping[str, float], name: str) -> list[Entry]:
    """Return ``spare`` processes to stop: those that failed, those that start, the idlest where a reading tells, the highest numbers."""

    def worth(entry: Entry) -> tuple[int, float, int]:
        rank = 2 if entry.state == "running" else 1 if entry.state == "starting" else 0
        return rank, loads.get(f"{name}.{entry.number}", math.inf), -entry.number

    return sorted((each for each in entries if each.is_wanted), key=worth)[:spare]


def _unlisted(entries: Sequence[Entry], names: Names, name: str) -> Iterator[Entry]:
    taken = {each.number for each in entries}
    return (Entry(names.name_of(name, number), number, "stopped") for number in count(1) if number not in taken)
