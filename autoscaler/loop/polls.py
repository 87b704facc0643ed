"""Poll the metrics of a configuration, each at its own interval or all once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from threading import Event, Thread

from autoscaler.clock import Clock
from autoscaler.events import BoardEntry
from autoscaler.loop.guard import guard
from autoscaler.loop.timetable import Timetable
from autoscaler.loop.watch import Watch
from autoscaler.observe.board import Board
from autoscaler.observe.metric import MetricSettings
from autoscaler.observe.source import MeasuresRate, ReadsEachProcess
from autoscaler.settings import Settings

_RATE_SECONDS = 1.0  # between the two polls that a rate takes, where nobody polls at an interval
_AT_ONCE = 50  # first polls that may begin together; the next as many follow a little later
_APART_SECONDS = 0.1


class Polls:
    """Asks the sources and keeps what they answer on a board."""

    def __init__(self, settings: Settings, watch: Watch, clock: Clock) -> None:
        """Poll the metrics of a configuration; ``watch`` tells where the processes are that some of them are read from."""
        self._watch = watch
        self._clock = clock
        self._board = Board((), clock)
        self.change(settings)

    def change(self, settings: Settings) -> None:
        """Poll the metrics of another configuration from now on; those with equal settings keep their readings."""
        self._board.hide = settings.hide
        self._board.replace(settings.metrics)
        self._metrics = settings.metrics
        self._process_types = _process_types(settings.metrics)

    def entries(self, now: float) -> Mapping[str, BoardEntry]:
        """Return the reading of each metric, or why there is none."""
        return self._board.entries(now)

    def all_asked(self) -> bool:
        """Whether every metric was asked at least once."""
        return self._board.all_asked()

    def plan(self, timetable: Timetable) -> None:
        """Put every poll on the timetable, many of them a little apart."""
        for number, metric in enumerate(self._metrics):
            after = (number // _AT_ONCE) * _APART_SECONDS % metric.every_seconds
            timetable.poll_every(metric.every_seconds, after, metric.name, partial(self._poll, metric.name))

    def poll_all(self) -> None:
        """Poll every metric once, side by side, and rates again a second later; return when all have answered or are late."""
        self._poll_side_by_side(self._metrics)
        rates = [metric for metric in self._metrics if isinstance(metric.source, MeasuresRate) and metric.source.needs_two_polls]
        if rates:
            Event().wait(_RATE_SECONDS)
            self._poll_side_by_side(rates)

    def _poll_side_by_side(self, metrics: Iterable[MetricSettings]) -> None:
        threads = [Thread(target=self._poll, args=(metric.name,), daemon=True) for metric in metrics]
        for thread in threads:
            thread.start()
        until = self._clock.now() + max((metric.timeout for metric in metrics), default=0.0)
        for thread in threads:
            thread.join(max(0.0, until - self._clock.now()))

    def _poll(self, name: str) -> None:
        process_type = self._process_types.get(name)
        addresses = self._watch.addresses(process_type) if process_type else {}
        guard(lambda: self._board.poll(name, addresses), lambda cause: self._board.failed(name, cause))


def _process_types(metrics: Iterable[MetricSettings]) -> dict[str, str | None]:
    """Find the types whose processes are read, by metric."""
    sources: dict[str, object] = {metric.name: metric.source for metric in metrics}
    return {name: source.process_type for name, source in sources.items() if isinstance(source, ReadsEachProcess)}
