"""Read the list of a process manager: one process, or one process type, a line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from autoscaler.act.command.names import Names
from autoscaler.act.remote.engine import Sighting
from autoscaler.model import Counts, Process, ProcessState
from autoscaler.wording import shown

StateThere: TypeAlias = Literal["running", "starting", "draining", "failed", "crashing", "stopped", "unknown"]
STATES: tuple[StateThere, ...] = ("running", "starting", "draining", "failed", "crashing", "stopped", "unknown")
PROCESS_LINE = r"^(?P<process>\S+)\s+(?P<state>\S+)"
TYPE_LINE = r"^(?P<type>\S+)\s+(?P<desired>\d+)(?:\s+(?P<running>\d+))?\s*$"
_WANTED = frozenset({"running", "starting", "failed", "crashing"})
_SHOWN_STATES: Mapping[str, ProcessState] = {
    "running": "running",
    "starting": "starting",
    "draining": "draining",
    "failed": "failed",
    "crashing": "failed",
}


_MOST_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Entry:
    """One process as the process manager lists it."""

    name: str  # there
    number: int
    state: StateThere

    @property
    def is_wanted(self) -> bool:
        """Tell whether the process manager is to keep it running."""
        return self.state in _WANTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """How a list is read."""

    pattern: re.Pattern[str]
    states: Mapping[str, StateThere]
    names: Names
    ready_after_seconds: float

    @property
    def is_complete(self) -> bool:
        """Tell whether the list also shows what is stopped, so that what it does not show does not exist."""
        return "stopped" in self.states.values()

    def entries(self, text: str) -> dict[str, TypeEntries]:
        """Return the processes that a list shows, by process type."""
        found: dict[str, TypeEntries] = {}
        for match in self._matches(text):
            if which := self._process_of(match):
                name, number = which
                found.setdefault(name, TypeEntries()).take(self._entry(name, number, match))
        return found

    def counts(self, text: str) -> dict[str, Sighting | str]:
        """Return the numbers that a list shows, by process type, or why they are none."""
        return {name: _sighting_of(match) for match in self._matches(text) if (name := self.names.type_called(match["type"] or ""))}

    def _matches(self, text: str) -> Iterator[re.Match[str]]:
        for line in text.splitlines():
            if match := self.pattern.search(line):
                yield match

    def _process_of(self, match: re.Match[str]) -> tuple[str, int] | None:
        groups = match.groupdict()
        if groups.get("process") is not None:
            return self.names.read(match["process"])
        name = self.names.type_called(groups.get("type") or "")
        number = _number(groups.get("n"))
        return (name, number) if name and number is not None else None

    def _entry(self, name: str, number: int, match: re.Match[str]) -> Entry | str:
        groups = match.groupdict()
        process = groups.get("process") or self.names.name_of(name, number)
        word = " ".join(part for part in (groups["state"], groups.get("want")) if part)
        state = self.states.get(word)
        if state is None:
            return f"list says {shown(word)} of {process}, and that is not under states; add it"
        if state == "unknown":
            return f"the process manager cannot tell of {process}: {match.string.strip()[:200]}"
        seconds = _number(groups.get("seconds"))
        if state == "running" and seconds is not None and seconds < self.ready_after_seconds:
            state = "starting"
        return Entry(process, number, state)


@dataclass(slots=True)
class TypeEntries:
    """The processes of one type that a list shows."""

    entries: list[Entry] = field(default_factory=list)
    trouble: str | None = None  # why it is not known what they do

    def take(self, entry: Entry | str) -> None:
        """Take in a line of the list, or what is wrong with it."""
        if isinstance(entry, Entry):
            self.entries.append(entry)
        else:
            self.trouble = self.trouble or entry

    def sighting(self, name: str) -> Sighting:
        """Return what runs; what is stopped is not there."""
        ordered = sorted(self.entries, key=lambda each: each.number)
        states = [each.state for each in ordered]
        counts = Counts(
            desired=sum(each.is_wanted for each in ordered),
            running=states.count("running"),
            starting=states.count("starting"),
            draining=states.count("draining"),
            failed=states.count("failed") + states.count("crashing"),
        )
        processes = tuple(Process(f"{name}.{each.number}", _SHOWN_STATES[each.state]) for each in ordered if each.state in _SHOWN_STATES)
        return Sighting(counts=counts, processes=processes, crashing=states.count("crashing"), chooses_idlest=True)


def _sighting_of(match: re.Match[str]) -> Sighting | str:
    desired, running = _number(match["desired"]), match.groupdict().get("running")
    if desired is None or (running is not None and _number(running) is None):
        return f"list shows no number of processes: {match.string.strip()[:200]}"
    if running is None:
        unready = f"list does not say how many processes of {match['type']} are ready; add the group running to pattern"
        return Sighting(counts=Counts(desired=desired, running=desired), unready=unready)
    ready = min(int(running), desired)
    return Sighting(counts=Counts(desired=desired, running=ready, starting=desired - ready, draining=int(running) - ready))


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None
