"""One tick: observe, decide, act; and the run that repeats it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from threading import Event, Lock, Thread

from autoscaler import __version__
from autoscaler.act.backend import Backend
from autoscaler.clock import Clock
from autoscaler.decide.memory import Memory
from autoscaler.decide.pipeline import decide
from autoscaler.decide.settings import Pause, TypeSettings
from autoscaler.events import BoardEntry, Listener, Notice, Tick
from autoscaler.loop.guard import guard
from autoscaler.loop.timetable import Timetable
from autoscaler.loop.values import ask_guarded, change_of, observation_of, pause_notice, pauses_in_force
from autoscaler.model import Address, Decision, Formation, Json, Outcome, TypeFormation
from autoscaler.observe.board import Board
from autoscaler.observe.metric import MetricSettings
from autoscaler.observe.source import MeasuresRate, ReadsEachProcess
from autoscaler.settings import Settings

_WATCH_SECONDS = 0.5  # how often the wall clock is compared with the monotonic one
_LEAD_SECONDS = 0.25  # ticks follow polls by so much, so that they see fresh readings
_RATE_SECONDS = 1.0  # between the two polls that a rate takes, where nobody polls at an interval
_STOP_SECONDS = 0.4  # how long a tick under way may finish when the controller stops


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
        self._board = Board(settings.metrics, clock)
        self._memories: dict[str, Memory] = {}
        self._formations: dict[str, TypeFormation] = {}
        self._pauses: Mapping[str, Pause] = {}
        self._busy = Lock()  # held by the tick or the reload under way
        self._is_stopped = False
        self._last_tick: float | None = None
        self._missed = 0
        self._troubles: dict[str, str] = {}  # what failed outside of plug-ins, told with the next tick
        self._timetable = Timetable(clock)

    def tick(self) -> Tick:
        """Observe, decide and act once, and tell the listeners."""
        with self._busy:
            return self._tick()

    def _tick(self) -> Tick:
        now, at = self._clock.now(), self._clock.wall()
        self._count_missed(now)
        happenings, errors = self._observe(now, at)
        board = self._board.entries(now)
        self._look_for_pauses(now, at, errors)
        decisions = tuple(self._decide(one, now, at, board) for one in self._settings.types if one.name in self._formations)
        acted = self._act(decisions)
        tick = Tick(
            now=now,
            at=at,
            decisions=decisions,
            formations=dict(self._formations),
            board=board,
            pauses=self._pauses,
            errors=self._take_troubles() | errors | acted.errors,
            reactions=acted.reactions,
            happenings=happenings,
            duration_seconds=self._clock.now() - now,
            missed=self._missed,
            is_complete=len(self._formations) == len(self._settings.types) and self._board.all_asked(),
        )
        self._tell(lambda listener: listener.ticked(tick))
        return tick

    def _tick_guarded(self) -> None:
        guard(self.tick, lambda cause: self._troubles.update(tick=cause))

    def _count_missed(self, now: float) -> None:
        if self._last_tick is not None:
            self._missed += max(0, round((now - self._last_tick) / self._settings.interval_seconds) - 1)
        self._last_tick = now

    # Observe

    def _observe(self, now: float, at: float) -> tuple[tuple[str, ...], dict[str, str]]:
        """Ask every backend; a type that cannot be observed now is left alone this tick and named among the errors."""
        before, self._formations = self._formations, {}
        happenings: list[str] = []
        errors: dict[str, str] = {}
        for name, backend in self._backends.items():
            seen = guard(backend.observe, str)
            if isinstance(seen, Formation):
                self._formations |= seen.types
                happenings += seen.happenings
            else:
                errors |= {one.name: f"not observed: {seen}" for one in self._settings.types if one.backend == name}
        self._notice_startups(before, now, at)
        return tuple(happenings), errors

    def _notice_startups(self, before: Mapping[str, TypeFormation], now: float, at: float) -> None:
        """Record a measured start-up time when it changes: policies use it, and a replay must know it."""
        for name, seen in self._formations.items():
            was = before[name].startup_seconds if name in before else None
            if seen.startup_seconds is not None and seen.startup_seconds != was:
                self._notice(Notice(event="startup", now=now, at=at, details={"process_type": name, "seconds": seen.startup_seconds}))

    # Decide

    def _decide(self, one: TypeSettings, now: float, at: float, board: Mapping[str, BoardEntry]) -> Decision:
        observation = observation_of(one, self._formations[one.name], board, now, at)
        memory = self._memories.get(one.name) or Memory()
        decision, self._memories[one.name] = decide(one, observation, memory, pause=self._pauses.get(one.name), ask=ask_guarded)
        return decision

    def _look_for_pauses(self, now: float, at: float, errors: dict[str, str]) -> None:
        """Merge the operator's pauses with the configuration's, and note what began or ended."""
        found = guard(lambda: self._read_pauses(at), str)
        if isinstance(found, str):
            errors["pause"] = found
            return
        pauses = pauses_in_force(self._settings.types, found)
        for name in dict.fromkeys((*self._pauses, *pauses)):
            if pauses.get(name) != self._pauses.get(name):
                self._notice(pause_notice(name, pauses.get(name), now, at))
        self._pauses = pauses

    # Act

    def _act(self, decisions: tuple[Decision, ...]) -> _Acted:
        """Tell each backend its changes, unless the controller was stopped in the meantime."""
        acted = _Acted()
        wanted = {decision.observation.process_type.name: decision for decision in decisions if decision.action in {"scale_out", "scale_in"}}
        for name, backend in self._backends.items():
            mine = [wanted[one.name] for one in self._settings.types if one.backend == name and one.name in wanted]
            if mine and not self._is_stopped:
                self._scale(backend, mine, acted)
        return acted

    def _scale(self, backend: Backend, decisions: list[Decision], acted: _Acted) -> None:
        changes = tuple(change_of(decision) for decision in decisions)
        called = self._clock.now()
        outcomes = guard(lambda: backend.scale(changes), lambda cause: tuple(Outcome(change.process_type, cause) for change in changes))
        acted.errors.update({outcome.process_type: f"not scaled: {outcome.error}" for outcome in outcomes if outcome.error is not None})
        for decision in decisions:
            samples = [reading.at for reading in decision.observation.readings.values()]
            if samples:
                acted.reactions[decision.observation.process_type.name] = called - max(samples)

    # Poll

    def poll_all(self) -> None:
        """Poll every metric once, side by side, and rates again a second later; return when all have answered or are late."""
        self._poll_side_by_side(self._settings.metrics)
        rates = [metric for metric in self._settings.metrics if isinstance(metric.source, MeasuresRate) and metric.source.needs_two_polls]
        if rates:
            Event().wait(_RATE_SECONDS)
            self._poll_side_by_side(rates)

    def _poll_side_by_side(self, metrics: Sequence[MetricSettings]) -> None:
        threads = [Thread(target=self._poll, args=(metric.name,), daemon=True) for metric in metrics]
        for thread in threads:
            thread.start()
        until = self._clock.now() + max((metric.timeout for metric in metrics), default=0.0)
        for thread in threads:
            thread.join(max(0.0, until - self._clock.now()))

    def _poll(self, name: str) -> None:
        guard(lambda: self._board.poll(name, self._addresses(name)), lambda cause: self._board.failed(name, cause))

    def _addresses(self, metric: str) -> dict[str, Address]:
        """Find where the processes a metric is read from serve it: the ready ones of its type."""
        source: object = next((one.source for one in self._settings.metrics if one.name == metric), None)
        process_type = source.process_type if isinstance(source, ReadsEachProcess) else None
        seen = self._formations.get(process_type or "")
        ready = [process for process in seen.processes if process.state == "running"] if seen else []
        return {process.name: process.metrics for process in ready if process.metrics is not None}

    # Run

    def run(self, stop: Event) -> None:
        """Poll and tick until ``stop`` is set, then return within half a second, whatever hangs."""
        self.notice("start", {"version": __version__, "configuration": self._settings.document, "state": self._state()})
        self._plan()
        Thread(target=self._tick_guarded, name="first-tick", daemon=True).start()  # at once: the minimum needs no metric
        self._timetable.start()
        while not stop.wait(_WATCH_SECONDS):
            step = self._timetable.keep_time()
            if step:
                self.notice("clock_step", {"seconds": round(step, 3)})
        self._is_stopped = True
        self._timetable.stop()
        if self._busy.acquire(timeout=_STOP_SECONDS):
            self._busy.release()

    def _plan(self) -> None:
        for metric in self._settings.metrics:
            self._timetable.poll_every(metric.every_seconds, metric.name, partial(self._poll, metric.name))
        interval = self._settings.interval_seconds
        self._timetable.tick_every(interval, min(_LEAD_SECONDS, interval / 4), self._tick_guarded)

    def reload(self, settings: Settings, backends: Mapping[str, Backend]) -> None:
        """Go on with another configuration; types, metrics and policies of the same name keep their past."""
        with self._busy:
            self._settings = settings
            self._backends = dict(backends)
            self._board.replace(settings.metrics)
            self._memories = {one.name: self._memories[one.name] for one in settings.types if one.name in self._memories}
        self.notice("reload", {"ok": True, "configuration": settings.document})
        self._timetable.forget()
        self._plan()

    def _state(self) -> Json:
        return {name: asdict(memory) for name, memory in self._memories.items()}

    # Tell

    def notice(self, event: str, details: Mapping[str, Json]) -> None:
        """Tell the listeners of something that happened beside the ticks."""
        self._notice(Notice(event=event, now=self._clock.now(), at=self._clock.wall(), details=details))

    def _notice(self, notice: Notice) -> None:
        self._tell(lambda listener: listener.noticed(notice))

    def _tell(self, call: Callable[[Listener], None]) -> None:
        for listener in self._listeners:
            guard(partial(call, listener), partial(self._troubles.__setitem__, type(listener).__name__))

    def _take_troubles(self) -> dict[str, str]:
        troubles, self._troubles = self._troubles, {}
        return troubles
