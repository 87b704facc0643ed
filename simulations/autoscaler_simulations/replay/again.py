"""Decide again, tick by tick, on what a record observed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from autoscaler.config import ConfigurationError
from autoscaler.decide.memory import SizeChange
from autoscaler.decide.settings import Pause
from autoscaler.events import Notice
from autoscaler.loop.decisions import Decisions
from autoscaler.loop.values import pauses_in_force
from autoscaler.model import Json
from autoscaler.record import RecordedDecision, RecordError, Start, memories_of
from autoscaler.settings import Settings
from autoscaler_simulations.replay.difference import Comparison
from autoscaler_simulations.replay.observed import observations_of
from autoscaler_simulations.replay.ticks import RecordedTick, read_ticks
from autoscaler_simulations.replay.told import NOTHING_TOLD, told_by


class Replay:
    """The decisions of a record, made again by its own configuration or by another one.

    Observations are the recorded ones, and so are the changes that were asked for: a size that the record's controller set is
    nobody else's, and counts in cooldowns and rate limits as it did.
    """

    def __init__(self, load: Callable[[Json], Settings], other: Settings | None) -> None:
        """Take what loads a recorded configuration, and the other one to decide by, if any."""
        self.notes: list[str] = []  # what whoever reads the result should know
        self.versions: set[str] = set()
        self._load = load
        self._other = other
        self._recorded: Settings | None = None
        self._told = NOTHING_TOLD
        self._decisions = Decisions()
        self._run = 0
        self._last = 0.0
        self._seen: set[str] = set()

    def run(self, lines: Iterable[str]) -> Iterator[Comparison]:
        """Yield a comparison for each recorded decision.

        Raises ``RecordError`` for what is no record, and ``ConfigurationError`` when its own configuration is needed and cannot be loaded.
        """
        for event in read_ticks(lines):
            if isinstance(event, RecordedTick):
                yield from self._tick(event)
            elif isinstance(event, Start):
                self._start(event)
            elif isinstance(event, Notice):
                self._notice(event)
            else:
                self.notes.append(f"{event.text}; the line is cut off, and left out")
        self._note_unseen()

    def _tick(self, tick: RecordedTick) -> Iterator[Comparison]:
        settings = self._settings(tick.decisions[0].decision)
        if tick.is_cut and settings.cap is not None:
            self.notes.append(f"the decisions beside a line that is cut off are left out, {len(tick.decisions)} of them: they share one total")
            return
        types = {one.name: one.process_type for one in self._recorded.types} if self._recorded else {}
        observations = observations_of(settings.types, types, tick, self._told)
        decided = self._decisions.decide_observed(settings, observations, self._pauses(settings))
        self._decisions.take_as_asked({written.decision.process_type: _asked(written.decision) for written in tick.decisions})
        again = {decision.observation.process_type.name: decision for decision in decided.decisions}
        for written in tick.decisions:
            name, self._last = written.decision.process_type, written.decision.now
            self._seen.add(name)
            yield Comparison(written, again.get(name), decided.errors.get(name) or self._lack(name, settings), self._run)

    def _lack(self, name: str, settings: Settings) -> str | None:
        """Say that the record's own configuration lacks a type of it; another configuration may."""
        if self._other is not None or any(one.name == name for one in settings.types):
            return None
        return "the recorded configuration has no such process type"

    def _settings(self, decision: RecordedDecision) -> Settings:
        settings = self._other or self._recorded
        if settings is None:
            where = f"the decision on {decision.process_type} at {decision.at}"
            raise RecordError(f"{where} stands before the first start line, so that its configuration is not known; name one with -c")
        return settings

    def _pauses(self, settings: Settings) -> dict[str, Pause]:
        """Return the pauses in force; with another configuration, its own ones in place of those that the recorded one says."""
        if self._other is None:
            return dict(self._told.pauses)
        configured = {one.name: one.pause for one in self._recorded.types} if self._recorded else {}
        return pauses_in_force(settings.types, {name: pause for name, pause in self._told.pauses.items() if pause != configured.get(name)})

    def _start(self, start: Start) -> None:
        """Go on from what a start line says; another configuration keeps its own past where the same controller goes on in a new file."""
        self.versions.add(start.version)
        self._told = told_by(start)
        memories = memories_of(start.state)
        self._use(start.configuration)
        goes_on = self._run > 0 and bool(memories) and start.now >= self._last
        self._run += not goes_on
        if self._other is None or not goes_on:
            self._decisions = Decisions(memories)

    def _notice(self, notice: Notice) -> None:
        self._told = self._told.after(notice)
        if notice.event == "reload" and notice.details.get("ok") is True:
            self._use(notice.details.get("configuration"))
            moved = notice.details.get("moved", [])
            if not isinstance(moved, list):
                raise RecordError(f"the reload line at {notice.at}: moved: {moved!r} is no list of process types; remove the line")
            settings = self._other or self._recorded
            self._decisions.keep({one.name for one in settings.types} if settings else set(), lambda name: name not in moved)

    def _use(self, configuration: Json) -> None:
        try:
            self._recorded = self._load(configuration)
        except ConfigurationError as error:
            if self._other is None:
                raise
            self._recorded = None
            self._add_note(f"the recorded configuration cannot be loaded, so that its pauses count as the operator's: {error}")

    def _add_note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _note_unseen(self) -> None:
        settings = self._other
        unseen = [one.name for one in settings.types if one.name not in self._seen] if settings else []
        if settings and unseen:
            held = "; with total, no type grows beyond its minimum until every type was seen" if settings.cap else ""
            self.notes.append(f"the record never observed {', '.join(unseen)}{held}")


def _asked(decision: RecordedDecision) -> SizeChange | None:
    current = decision.counts.desired
    return SizeChange(decision.now, current, decision.target) if decision.target != current else None
