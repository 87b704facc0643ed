"""Remember what a process manager was told a moment ago, until its list can show it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

from autoscaler.act.command.listing import Entry

_SECONDS = 2.0  # within which a process manager does, or refuses, what its command has handed to it


class Told:
    """The processes that were started or stopped just now; most commands return before that is done."""

    def __init__(self) -> None:
        """Know of none."""
        self._told: dict[tuple[str, int], tuple[Entry, bool, float]] = {}

    def tell(self, name: str, entries: Iterable[Entry], *, is_start: bool) -> None:
        """Take in that processes of a type are started, or else stopped, from now on."""
        until = time.monotonic() + _SECONDS
        self._told.update({(name, entry.number): (entry, is_start, until) for entry in entries})

    def forget(self) -> None:
        """Forget all: a process manager that is away may come back without having done it."""
        self._told.clear()

    def adjust(self, name: str, entries: Iterable[Entry]) -> list[Entry]:
        """Return what a list says of a type, with what it cannot know yet."""
        now = time.monotonic()
        self._told = {which: told for which, told in self._told.items() if told[2] > now}
        listed = {entry.number: entry for entry in entries}
        started = {told[0].number: told[0] for which, told in self._told.items() if which[0] == name and told[1]}
        return [self._adjusted(name, entry) for entry in {**started, **listed}.values()]

    def _adjusted(self, name: str, entry: Entry) -> Entry:
        told = self._told.get((name, entry.number))
        if told is None:
            return entry
        if told[1]:
            return replace(entry, state="starting") if entry.state == "stopped" else entry
        return replace(entry, state="draining") if entry.is_wanted else entry
