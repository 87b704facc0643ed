"""One tick: observe, decide, act; and the run that repeats it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Lock, Thread

from autoscaler.act.backend import Backend
from autoscaler.clock import Clock
from autoscaler.decide.settings import Pause
from autoscaler.events import Listener, Notice, Tick
from autoscaler.loop.changes import Changes
from autoscaler.loop.decisions import Decisions, Moment
from autoscaler.loop.garbage import collected_afterwards
from autoscaler.loop.guard import guard
from autoscaler.loop.polls import Polls
from autoscaler.loop.timetable import Timetable
from autoscaler.loop.values import change_of, lead_of, outcomes_of, pause_notice, pauses_in_force, state_told
from autoscaler.loop.wake import Wake
from autoscaler.loop.watch import Watch
from autoscaler.model import AutoscalerError, Change, Decision, Json, Outcome
from autoscaler.parallel import side_by_side
from autoscaler.settings import Settings

_WATCH_SECONDS = 0.5  # how often the wall clock is compared with the monotonic one
_STOP_SECONDS = 0.4  # how long a tick under way may finish when the controller stops
_RELOAD_SECONDS = 10.0  # how long a reload waits for a tick under way


class BusyError(AutoscalerError):
    """A reload came while a tick hangs."""


@dataclass(slots=True)
class _Acted:
    """What happened while one tick acted."""

    errors: dict[str, str] = field(default_factory=dict)
    reactions: dict[str, float] = field(default_factory=dict)


class Controller:
    """Keeps the formation of one configuration at its size.

    ``tick`` may be called by hand; ``run`` calls it, and polls the metrics, on daemon threads until told to stop.
    """

    def __init__(
        self,
        settings: Settings,
        backends: Mapping[str, Backend],
        *,
        clock: Clock,
        pauses: Callable[[float], Mapping[str, Pause]],
        listeners: Sequence[Listener],
    ) -> None:
        """Take connected ``backends``; ``pauses`` returns the operator's pauses in force at a wall time, by process type."""
        self._settings = settings
        self._backends = dict(backends)
        self._clock = clock
        self._read_pauses = pauses
        self._listeners = tuple(listeners)
        self._watch = Watch(settings, backends)
        self._polls = Polls(settings, self._watch, clock)
        self._timetable = Timetable(clock)
        self._decisions = Decisions()
        self._changes = Changes()
        self._pauses: Mapping[str, Pause] = {}
        self._busy = Lock()  # held by the tick, notice or reload under way
        self._wake = Wake(self._tick_between)
        self._is_stopped = False
        self._last_tick: float | None = None
        self._missed = 0
        self._troubles: dict[str, str] = {}  # what failed outside of plug-ins, told with the next tick

    def tick(self) -> Tick:
        """Observe, decide and act once, and tell the listeners."""
        with self._busy, collected_afterwards():
            self._count_missed(self._clock.now())
            return self._tick()

    def poll_all(self) -> None:
        """Poll every metric once, side by side, and rates again a second later; return when all have answered or are late."""
        self._polls.poll_all()

    def _tick(self) -> Tick:
        began = self._clock.now()
        seen = self._watch.observe()
        now, at = self._clock.now(), self._clock.wall()  # after observing, which may take its time
        pause_error = self._look_for_pauses(now, at)
        board = self._polls.entries(now)
        decided = self._decisions.decide(self._settings, Moment(now, at, seen, board, self._pauses))
        for notice in self._changes.notices(seen.types, decided.decisions, now, at):
            self._notice(notice)
        acted = self._act(decided.decisions)
        tick = Tick(
            now=now,
            at=at,
            decisions=decided.decisions,
            formations=seen.types,
            board=board,
            pauses=self._pauses,
            errors=self._shown({**self._take_troubles(), **pause_error, **seen.errors, **decided.errors, **acted.errors}),
            reactions=acted.reactions,
            limits=decided.limits,
            happenings=tuple(map(self._settings.hide, seen.happenings)),
            duration_seconds=self._clock.now() - began,
            missed=self._missed,
            is_complete=not seen.errors and self._polls.all_asked(),
        )
        self._tell(lambda listener: listener.ticked(tick))
        return tick

    def _tick_guarded(self) -> None:
        guard(self.tick, lambda cause: self._troubles.update(tick=cause))

    def _tick_between(self) -> None:
        """Tick at once because a backend asks for it; those at the interval go on as if nothing had been."""
        with self._busy, collected_afterwards():
            if not self._is_stopped:
                guard(self._tick, lambda cause: self._troubles.update(tick=cause))

    def _count_missed(self, now: float) -> None:
        if self._last_tick is not None:
            self._missed += max(0, round((now - self._last_tick) / self._settings.interval_seconds) - 1)
        self._last_tick = now

    def _look_for_pauses(self, now: float, at: float) -> dict[str, str]:
        """Merge the operator's pauses with the configuration's, and note what began or ended."""
        found = guard(lambda: self._read_pauses(at), str)
        if isinstance(found, str):
            return {"pause": found}
        pauses = pauses_in_force(self._settings.types, found)
        for name in dict.fromkeys((*self._pauses, *pauses)):
            if pauses.get(name) != self._pauses.get(name):
                self._notice(pause_notice(name, pauses.get(name), now, at))
        self._pauses = pauses
        return {}

    # Act

    def _act(self, decisions: tuple[Decision, ...]) -> _Acted:
        """Tell each backend its changes, side by side, unless the controller was stopped in the meantime."""
        acted = _Acted()
        wanted = {decision.observation.process_type.name: decision for decision in decisions if decision.action in {"scale_out", "scale_in"}}
        mine = {name: [wanted[one.name] for one in self._settings.types if one.backend == name and one.name in wanted] for name in self._backends}
        side_by_side([partial(self._scale, self._backends[name], changed, acted) for name, changed in mine.items() if changed])
        return acted

    def _scale(self, backend: Backend, decisions: list[Decision], acted: _Acted) -> None:
        if self._is_stopped:
            return
        changes = tuple(change_of(decision) for decision in decisions)
        called = self._clock.now()
        outcomes = guard(partial(_scale, backend, changes), lambda cause: tuple(Outcome(change.process_type, cause) for change in changes))
        acted.errors.update({outcome.process_type: f"not scaled: {outcome.error}" for outcome in outcomes if outcome.error is not None})
        for decision in decisions:
            samples = [reading.at for reading in decision.observation.readings.values()]
            if samples:
                acted.reactions[decision.observation.process_type.name] = called - max(samples)

    # Run

    def run(self, stop: Event) -> None:
        """Poll and tick until ``stop`` is set, then return within half a second, whatever hangs."""
        self.tell_start()
        self._plan()
        self._connect_wake()
        self._wake.start()
        Thread(target=self._tick_guarded, name="first-tick", daemon=True).start()  # at once: the minimum needs no metric
        self._timetable.start()
        while not stop.wait(_WATCH_SECONDS):
            if step := self._timetable.keep_time():
                self.notice("clock_step", {"seconds": round(step, 3)})
        self._is_stopped = True
        self._wake.stop()
        self._timetable.stop()
        if self._busy.acquire(timeout=_STOP_SECONDS):
            self._busy.release()

    def _connect_wake(self) -> None:
        for name, cause in self._wake.connect(self._backends).items():
            self._troubles[f"backend {name}"] = cause

    def _plan(self) -> None:
        self._polls.plan(self._timetable)
        interval = self._settings.interval_seconds
        self._timetable.tick_every(interval, lead_of(interval), self._tick_guarded)

    def reload(self, settings: Settings, open_backends: Callable[[], Mapping[str, Backend]]) -> Mapping[str, Backend]:
        """Go on with another configuration and return its backends, opened while no tick is under way.

        Types, metrics and policies of the same name keep their past. Raises ``BusyError`` when a tick hangs, and whatever
        ``open_backends`` raises; then nothing has changed.
        """
        if not self._busy.acquire(timeout=_RELOAD_SECONDS):
            raise BusyError(f"a tick has been under way for {_RELOAD_SECONDS:g} s; reload again when its backend answers")
        try:
            backends = open_backends()
            stay = {one.name for one in settings.types}
            gone: list[Json] = [one.name for one in self._settings.types if one.name not in stay]
            moved = self._go_on(settings, backends)
            self._notice_now("reload", {"ok": True, "configuration": settings.document, "removed": gone, "moved": moved})
        finally:
            self._busy.release()
        return backends

    def _go_on(self, settings: Settings, backends: Mapping[str, Backend]) -> list[Json]:
        """Change over; return the types that stay and now run on another backend."""
        before = {one.name: self._backends.get(one.backend) for one in self._settings.types}
        after = {one.name: backends.get(one.backend) for one in settings.types}
        moved: list[Json] = [name for name in after if name in before and after[name] is not before[name]]
        self._decisions.keep(set(after), lambda name: name not in moved)
        self._settings, self._backends, self._last_tick = settings, dict(backends), None
        self._watch.change(settings, backends)
        self._polls.change(settings)
        self._timetable.forget()
        self._plan()
        self._connect_wake()
        return moved

    # Tell

    def notice(self, event: str, details: Mapping[str, Json]) -> None:
        """Tell the listeners of something that happened beside the ticks; while a tick hangs, it is told beside it."""
        has_turn = self._busy.acquire(timeout=_STOP_SECONDS)
        try:
            self._notice_now(event, details)
        finally:
            if has_turn:
                self._busy.release()

    def tell_start(self) -> None:
        """Tell the listeners what a record begins with: version, configuration, and all that later decisions depend on."""
        self.notice("start", self._state())

    def tell_state(self) -> None:
        """Tell the same in the middle of a run, between two ticks: for a record that goes on in a new file."""
        self.notice("state", self._state())

    def _state(self) -> dict[str, Json]:
        return state_told(self._settings.document, self._decisions.state(), self._pauses, self._changes.state())

    def _notice_now(self, event: str, details: Mapping[str, Json]) -> None:
        self._notice(Notice(event=event, now=self._clock.now(), at=self._clock.wall(), details=details))

    def _notice(self, notice: Notice) -> None:
        self._tell(lambda listener: listener.noticed(notice))

    def _tell(self, call: Callable[[Listener], None]) -> None:
        for listener in self._listeners:
            guard(partial(call, listener), partial(self._troubles.__setitem__, type(listener).__name__))

    def _shown(self, errors: dict[str, str]) -> dict[str, str]:
        return {name: self._settings.hide(error) for name, error in errors.items()}

    def _take_troubles(self) -> dict[str, str]:
        troubles, self._troubles = self._troubles, {}
        return troubles


def _scale(backend: Backend, changes: tuple[Change, ...]) -> tuple[Outcome, ...]:
    return outcomes_of(changes, backend.scale(changes))
