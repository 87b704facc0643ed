"""Follow one process type of an engine from look to look; pure, with the time as an argument."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from autoscaler.act.remote.engine import Sighting, Verdict
from autoscaler.act.remote.relapses import Relapses
from autoscaler.act.starts import StartHistory, start_timeout
from autoscaler.model import Counts, ProcessType, TypeFormation

NOT_ASKED = "it was not asked yet"


class TypeState:
    """What is known of one process type, and what became of the last change to it."""

    def __init__(self, process_type: ProcessType) -> None:
        """Begin without having seen it."""
        self.process_type = process_type
        self.sighting: Sighting | None = None
        self.trouble = NOT_ASKED  # why there is no sighting
        self.under_way: int | None = None  # the target of a change that has no answer yet
        self.since = 0.0  # when that change was sent, or the sighting was made
        self._began = math.inf  # when it was seen first
        self._running = 0  # as last seen
        self._before: Sighting | None = None  # the newest one, whatever was missed since
        self._starts = 0
        self._startups = StartHistory()
        self._measured: set[str] = set()  # processes whose startup was taken in
        self._starting: dict[str, float] = {}  # since when each process starts, as far as it was seen
        self._desired: int | None = None  # as last seen
        self._asked: int | None = None  # the target of the last change that was sent, until it is seen: an engine may do it late
        self._unclear: int | None = None  # the target of a change of which it is not known whether it was done
        self._held_back = (0, "")  # the target of the last change and why it waits
        self._refused_late = ""  # of a change of which no outcome could tell any more
        self._relapses = Relapses()

    @property
    def name(self) -> str:
        """Return the process type's name."""
        return self.process_type.name

    def saw(self, sighting: Sighting, now: float) -> str | None:
        """Take in what the engine said at ``now``; return what an operator should hear of it, once."""
        self._count_starts(sighting)
        self.sighting, self.trouble, self.since = sighting, "", now
        self._began = min(self._began, now)
        self._follow_starts(sighting, now)
        self._relapses.look(sighting.processes, now)
        self._running = sighting.counts.running
        for name, seconds in sighting.startups.items():
            if name not in self._measured:
                self._startups.add_startup(seconds)
        self._measured = set(sighting.startups)
        return self._look_back(sighting.counts.desired)

    def missed(self, trouble: str) -> None:
        """Take in that the engine could not say, and why."""
        self.sighting, self.trouble = None, trouble

    def sent(self, target: int, now: float) -> None:
        """Take in that a change is under way."""
        self.under_way, self.since, self._held_back = target, now, (0, "")

    def answered(self, verdict: Verdict) -> None:
        """Take in what became of the change that was under way."""
        target, self.under_way = self.under_way, None
        self._held_back = (target or 0, verdict.sentence if verdict.kind == "waits" else "")
        self._unclear = target if verdict.kind == "unclear" else None
        self._refused_late = ""
        if verdict.kind in {"done", "unclear"}:
            self._asked = target
            self.missed("it was changed, and not seen since")

    def refused_late(self, target: int, error: str) -> None:
        """Take in that a change was not done, after the time in which its outcome could have said so."""
        self._refused_late = f"the change to {target} was not done: {error}"

    def hold_back(self, target: int, reason: str) -> None:
        """Take in that a change is not sent now, and why."""
        self._held_back = (target, reason)

    def describe(self, now: float) -> TypeFormation | None:
        """Return what runs, starts that take too long counted as failed; ``None`` when it is not known."""
        if self.sighting is None:
            return None
        seen, late = self.sighting, self._list_late(now)
        crashing = self._count_crashing(seen)
        return TypeFormation(
            counts=_with_late(seen.counts, len(late)),
            processes=tuple(replace(each, state="failed") if each.name in late else each for each in seen.processes),
            startup_seconds=self._startups.startup_seconds,
            is_crash_looping=crashing > 0,
            starts=self._starts,
            notes=tuple(self._list_notes(seen, len(late), crashing)),
            obstacle=seen.obstacle,
            unready=seen.unready,
            chooses_idlest=seen.chooses_idlest,
        )

    def _count_starts(self, seen: Sighting) -> None:
        before, self._before = self._before, seen
        if before is None:
            return
        names = {each.name for each in before.processes}
        new = [each for each in seen.processes if each.name not in names]
        self._starts += len(new) if seen.processes else max(0, seen.counts.capacity - before.counts.capacity)

    def _follow_starts(self, seen: Sighting, now: float) -> None:
        """Note since when each process starts; where the engine names none, those that began first become ready first."""
        names = _starting_names(seen)
        if names is not None:
            self._starting = {name: self._starting.get(name, now) for name in names}
            return
        times = sorted(self._starting.values())
        ready = max(0, seen.counts.running - self._running)
        ended = times[: max(ready, len(times) - seen.counts.starting)]
        for since in ended[:ready]:
            if since > self._began:
                self._startups.add_startup(now - since)
        kept = times[len(ended) :]
        times = [*kept, *[now] * (seen.counts.starting - len(kept))]
        self._starting = {str(number): since for number, since in enumerate(times)}

    def _count_crashing(self, seen: Sighting) -> int:
        """Return how many processes keep failing, if that is most of them, else 0."""
        relapsing = [each.state for each in seen.processes if self._relapses.is_relapsing(each)]
        crashing = max(seen.crashing, len(relapsing))
        return crashing if crashing > seen.counts.running - relapsing.count("running") else 0

    def _list_late(self, now: float) -> set[str]:
        limit = start_timeout(self.process_type, self._startups.startup_seconds)
        return {name for name, since in self._starting.items() if now - since > limit}

    def _look_back(self, desired: int) -> str | None:
        if self._held_back[0] == desired:
            self._held_back = (0, "")
            self._refused_late = ""
        before, self._desired = self._desired, desired
        asked, self._asked = self._asked, None if desired == self._asked else self._asked
        target, self._unclear = self._unclear, None
        if target is not None:
            return f"{self.name}: the change to {target} {'had been' if desired == target else 'was not'} done: {desired} are desired"
        return None if desired in {before, asked} or before is None else f"{self.name}: somebody else set it from {before} to {desired}"

    def _list_notes(self, seen: Sighting, late: int, crashing: int) -> Iterator[str]:
        target, reason = self._held_back
        if reason:
            yield f"the change to {target} waits: {reason}"
        if self._refused_late:
            yield self._refused_late
        yield from seen.notes
        if seen.unready:
            yield seen.unready
        if crashing:
            yield f"{self.name} is crash looping: {_said(crashing, 'keeps', 'keep')} failing soon after the start"
        if late:
            yield f"{_said(late, 'starts', 'start')} for longer than start-up may take, and {'counts' if late == 1 else 'count'} as failed"


def _starting_names(seen: Sighting) -> list[str] | None:
    """Return the processes that start, or ``None`` where the engine names no processes, or not these."""
    names = [each.name for each in seen.processes if each.state == "starting"]
    return names if seen.processes and len(names) == seen.counts.starting else None


def _with_late(counts: Counts, late: int) -> Counts:
    return replace(counts, starting=counts.starting - late, failed=counts.failed + late) if late else counts


def _said(count: int, singular: str, plural: str) -> str:
    return f"1 process {singular}" if count == 1 else f"{count} processes {plural}"
