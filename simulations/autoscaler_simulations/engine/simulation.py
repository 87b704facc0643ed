"""Run an experiment: the production decisions on a virtual clock, driving plants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from autoscaler.events import BoardEntry, Listener, Notice, Tick
from autoscaler.loop.changes import Changes
from autoscaler.loop.decisions import Decided, Decisions, Moment
from autoscaler.loop.values import lead_of, pause_notice, pauses_in_force, state_told
from autoscaler.loop.watch import Seen
from autoscaler.model import TypeFormation
from autoscaler.observe.board import Board
from autoscaler.observe.metric import MetricSettings
from autoscaler_simulations.engine.callers import Callers
from autoscaler_simulations.engine.clock import SteppedClock
from autoscaler_simulations.engine.experiment import Experiment
from autoscaler_simulations.engine.measures import PlantSource
from autoscaler_simulations.engine.subject import Subject
from autoscaler_simulations.engine.timetable import Timetable

_LOOK_SHARE = 50  # parts of an interval at whose ends a type at zero is looked at for a call
_SHORTEST_LOOK = 0.1
_FIRST_TICK, _LOOK = -1, -2  # places among the calls of one moment; metrics have theirs from 0 on, then come the ticks


class Simulation:
    """One run of an experiment. It polls and ticks when the live loop would, and the plants live in between.

    A plant is only advanced when somebody looks at it, so that what the flow of one type draws by chance does not depend on the
    metrics of another.
    """

    def __init__(self, experiment: Experiment, subjects: Mapping[str, Subject], listeners: Sequence[Listener] = ()) -> None:
        """Take the plants of every process type, which nothing has advanced yet; ``listeners`` are told what a live controller's are."""
        self._experiment = experiment
        self._subjects = dict(subjects)
        self._listeners = tuple(listeners)
        settings = experiment.settings
        self._settings = replace(
            settings, metrics=tuple(self._simulated(metric) for metric in settings.metrics if metric.name in experiment.measures)
        )
        self._clock = SteppedClock(experiment.begins)
        self._board = Board(self._settings.metrics, self._clock)
        self._decisions = Decisions()
        self._changes = Changes()
        self._pauses = pauses_in_force(settings.types, {})
        self._timetable = Timetable()
        self._callers = Callers()
        self._sleepers = {one.name: subjects[one.name].plant for one in settings.types if one.process_type.socket == "shared"}
        self._is_looking = False
        self.ticks = 0

    def run(self) -> Iterator[float]:
        """Run to the end, yielding the seconds reached after every tick; what came of it is in the subjects.

        Raises ``ConservationError`` when a plant lost count of its requests.
        """
        self._notice_start()
        self._plan()
        length, ticks = self._experiment.length_seconds, 0
        for at in self._timetable.run(length):
            if self.ticks > ticks:
                ticks = self.ticks
                yield at
        for subject in self._subjects.values():
            subject.plant.advance(length)
            subject.plant.queue.finish()

    def _plan(self) -> None:
        """Put a tick, which finds nothing read, and polls at once, then each at its interval; ticks a little after polls."""
        self._timetable.once(0.0, _FIRST_TICK, self._measure_and_tick)
        for order, metric in enumerate(self._settings.metrics):
            self._timetable.every(metric.every_seconds, 0.0, order, self._poller(metric.name))
        interval = self._settings.interval_seconds
        self._timetable.every(interval, interval + lead_of(interval), len(self._settings.metrics), self._measure_and_tick)

    def _simulated(self, metric: MetricSettings) -> MetricSettings:
        measure = self._experiment.measures[metric.name]
        faults = tuple(fault for fault in self._experiment.metric_faults if fault.metric == metric.name)
        return replace(metric, source=PlantSource(measure, self._subjects[measure.process_type].plant, faults), alive=None)

    def _poller(self, name: str) -> Callable[[float], None]:
        plant = self._subjects[self._experiment.measures[name].process_type].plant

        def poll(at: float) -> None:
            self._clock.go_to(at)
            plant.advance(at)
            self._board.poll(name, {})

        return poll

    # Calls

    def _look_later(self, at: float) -> None:
        """Look for calls from now on while a type is at zero."""
        if not self._is_looking and any(plant.is_at_zero for plant in self._sleepers.values()):
            self._is_looking = True
            self._timetable.once(at + max(_SHORTEST_LOOK, self._settings.interval_seconds / _LOOK_SHARE), _LOOK, self._look)

    def _look(self, at: float) -> None:
        """Tick at once when a connection came to a type without processes, as a backend that wakes the controller has it do."""
        self._is_looking = False
        self._clock.go_to(at)
        rung = [name for name, plant in self._sleepers.items() if self._rings(name, at)]
        if rung:
            self._tick(at)
        self._look_later(at)

    def _rings(self, name: str, at: float) -> bool:
        plant = self._sleepers[name]
        if plant.is_at_zero:
            plant.advance(at)
        return self._callers.rings(name, at, is_called=plant.is_at_zero and plant.observe().is_called)

    # Ticks

    def _measure_and_tick(self, at: float) -> None:
        self._clock.go_to(at)
        for subject in self._subjects.values():
            subject.plant.advance(at)
            subject.measure(at)
        self._tick(at)
        self._look_later(at)

    def _tick(self, at: float) -> None:
        self.ticks += 1
        seen = self._observe(at)
        board = self._board.entries(at)
        decided = self._decisions.decide(self._settings, Moment(at, self._clock.wall(), seen, board, self._pauses))
        for decision in decided.decisions:
            self._subjects[decision.observation.process_type.name].decided(decision)
        if self._listeners:
            self._tell(decided, seen, board)

    def _observe(self, at: float) -> Seen:
        away = {outage.backend for outage in self._experiment.outages if outage.span.holds(at)}
        types: dict[str, TypeFormation] = {}
        errors: dict[str, str] = {}
        for one in self._settings.types:
            plant = self._subjects[one.name].plant
            plant.advance(at)
            if one.backend in away:
                errors[one.name] = f"not observed: backend {one.backend} is away in this simulation"
            else:
                types[one.name] = plant.observe()
        return Seen(types, errors, ())

    # Tell

    def _notice_start(self) -> None:
        """Tell what a controller tells before its first tick and at it: what it begins with, and the pauses of the configuration."""
        now, at = self._clock.now(), self._clock.wall()
        details = state_told(self._settings.document, self._decisions.state(), {}, self._changes.state())
        self._notice(Notice(event="start", now=now, at=at, details=details))
        for name, pause in self._pauses.items():
            self._notice(pause_notice(name, pause, now, at))

    def _notice(self, notice: Notice) -> None:
        for listener in self._listeners:
            listener.noticed(notice)

    def _tell(self, decided: Decided, seen: Seen, board: Mapping[str, BoardEntry]) -> None:
        now, at = self._clock.now(), self._clock.wall()
        for notice in self._changes.notices(seen.types, decided.decisions, now, at):
            self._notice(notice)
        tick = Tick(
            now=now,
            at=at,
            decisions=decided.decisions,
            formations=seen.types,
            board=board,
            pauses=self._pauses,
            errors={**seen.errors, **decided.errors},
            limits=decided.limits,
            is_complete=not seen.errors and self._board.all_asked(),
        )
        for listener in self._listeners:
            listener.ticked(tick)
