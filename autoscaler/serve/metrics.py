"""Show what the controller sees, decides and does as Prometheus metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from threading import Lock
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import make_wsgi_app
from prometheus_client.utils import floatToGoString

from autoscaler import __version__
from autoscaler.events import Notice, Tick
from autoscaler.model import Decision, Missing, Recommendation, TypeFormation
from autoscaler.serve.tally import Histogram, Tally

_STATES = ("running", "starting", "draining", "failed", "unknown")
_ACTIONS = ("scale_out", "scale_in", "hold", "none")
_TYPE = ("process_type",)

_Samples = Iterable[tuple[tuple[str, ...], float]]  # label values and value


@dataclass(frozen=True, slots=True)
class MetricsPage:
    """One answer to a scrape."""

    headers: tuple[tuple[str, str], ...]
    body: bytes


class Exporter:
    """A listener that keeps the newest tick and counts; a scrape shows one state of both."""

    def __init__(self, process_types: Iterable[str]) -> None:
        """Begin with nothing counted, on a registry of its own; ``process_types`` are the names in the configuration."""
        self._busy = Lock()
        self._tick: Tick | None = None
        self._names = tuple(process_types)
        self._tally = Tally()
        self._is_reloaded = True
        self._registry = CollectorRegistry(auto_describe=True)
        self._registry.register(self)
        self._app = make_wsgi_app(self._registry)

    def ticked(self, tick: Tick) -> None:
        """Count one tick and keep it as the newest."""
        with self._busy:
            self._tick = tick
            self._tally.count(tick)

    def reconfigure(self, process_types: Iterable[str]) -> None:
        """Take over the process types of a reload; those that are gone lose their counts."""
        with self._busy:
            self._names = tuple(process_types)
            self._tally.forget_all_but(frozenset(self._names))

    def noticed(self, notice: Notice) -> None:
        """Keep whether the newest reload succeeded."""
        if notice.event == "reload":
            self._is_reloaded = bool(notice.details.get("ok"))

    def collect(self) -> Iterator[Metric]:
        """Yield every metric of one state; called by the registry for each scrape."""
        with self._busy:
            tick, tally, names, is_reloaded = self._tick, self._tally.copy(), self._names, self._is_reloaded
        yield InfoMetricFamily("autoscaler_build", "The version that runs.", {"version": __version__})
        yield _gauge("config_reload_success", "1 when the newest load of the configuration succeeded.", (), [((), is_reloaded)])
        yield _histogram("tick_duration_seconds", "Seconds that a tick took.", (), {(): tally.durations} if tick else {})
        yield from _tick_metrics(tick)
        yield from _formation_metrics(tick.formations if tick else {})
        yield from _decision_metrics(tick.decisions if tick else ())
        yield from _limit_metrics(tick.limits if tick else {})
        yield from _counted_metrics(tally, names)

    def page(self, accept: str, accept_encoding: str, query: str) -> MetricsPage:
        """Write the metrics in the format and encoding that the client accepts; ``query`` may ask for some by ``name[]``."""
        headers: list[tuple[str, str]] = []
        environment = {"REQUEST_METHOD": "GET", "PATH_INFO": "/metrics", "QUERY_STRING": query}
        environment |= {"HTTP_ACCEPT": accept, "HTTP_ACCEPT_ENCODING": accept_encoding}

        def start_response(_status: str, given: list[tuple[str, str]]) -> None:
            headers.extend(given)

        body: Any = self._app(environment, start_response)  # the library types its app as a bare Callable
        return MetricsPage(tuple(headers), b"".join(body))


def _tick_metrics(tick: Tick | None) -> Iterator[Metric]:
    board = tick.board if tick else {}
    now = tick.now if tick else 0.0
    readings = [entry.reading for entry in board.values() if entry.reading]
    paused = [((name,), name in tick.pauses) for name in tick.formations] if tick else []
    yield _gauge("last_tick_timestamp_seconds", "When the newest tick began, in seconds since the epoch.", (), [((), tick.at)] if tick else [])
    yield _counter("ticks_missed", "Ticks that were not run in time.", (), [((), tick.missed)] if tick else [])
    yield _gauge("paused", "1 while scale-out, scale-in or both are paused.", _TYPE, paused)
    yield _gauge("reading", "The newest usable value of a metric.", ("metric",), [((one.metric,), one.value) for one in readings])
    ages = [((one.metric,), now - one.at) for one in readings]
    yield _gauge("reading_age_seconds", "Age of the newest sample behind a reading at the newest tick.", ("metric",), ages)
    errors = [((metric,), entry.errors) for metric, entry in board.items()]
    yield _counter("source_errors", "Polls of a metric that failed.", ("metric",), errors)


def _formation_metrics(formations: Mapping[str, TypeFormation]) -> Iterator[Metric]:
    def of(value: Callable[[TypeFormation], float]) -> _Samples:
        return [((name,), value(formation)) for name, formation in formations.items()]

    states = [((name, state), getattr(formation.counts, state)) for name, formation in formations.items() for state in _STATES]
    yield _gauge("processes", "Processes in each state, as the backend observed them.", (*_TYPE, "state"), states)
    yield _gauge("desired_processes", "Processes that the backend was last told to run, by anyone.", _TYPE, of(lambda one: one.counts.desired))
    yield _gauge("crash_looping", "1 while most of the last starts failed.", _TYPE, of(lambda one: one.is_crash_looping))
    yield _counter("starts", "Processes started.", _TYPE, of(lambda one: one.starts))
    yield _counter("drains_killed", "Processes killed because they outlived their stop timeout.", _TYPE, of(lambda one: one.drains_killed))


def _limit_metrics(limits: Mapping[str, tuple[int, int]]) -> Iterator[Metric]:
    bounds = [((name, bound), value) for name, both in limits.items() for bound, value in zip(("minimum", "maximum"), both, strict=True)]
    yield _gauge("limit_processes", "The fewest and the most processes that may run now.", (*_TYPE, "bound"), bounds)


def _decision_metrics(decisions: tuple[Decision, ...]) -> Iterator[Metric]:
    types = [(decision.observation.process_type.name, decision) for decision in decisions]
    targets = [((name,), decision.target) for name, decision in types]
    yield _gauge("target_processes", "Processes that should run, as decided.", _TYPE, targets)
    startups = [((name,), decision.observation.startup_seconds) for name, decision in types if decision.observation.startup_seconds]
    yield _gauge("startup_seconds", "Seconds from the start of a process to ready: configured, else measured.", _TYPE, startups)
    answers = [((name, given.policy), given.answer) for name, decision in types for given in decision.answers]
    wishes = [(labels, answer.processes) for labels, answer in answers if isinstance(answer, Recommendation)]
    yield _gauge("recommended_processes", "Processes that a policy asks for.", (*_TYPE, "policy"), wishes)
    missing = [(labels, isinstance(answer, Missing)) for labels, answer in answers]
    yield _gauge("policy_missing", "1 while a policy lacks its data.", (*_TYPE, "policy"), missing)
    blocked = [((name, rule), True) for name, decision in types for rule in blocking_rules(decision)]
    yield _gauge("blocked", "1 for a rule that holds a change back at the newest tick.", (*_TYPE, "rule"), blocked)


def _counted_metrics(tally: Tally, names: tuple[str, ...]) -> Iterator[Metric]:
    decisions = [((name, action), tally.decisions[name, action]) for name in names for action in _ACTIONS]
    yield _counter("decisions", "Decisions by what they led to.", (*_TYPE, "action"), decisions)
    yield _counter("adjustments", "Decisions whose number a rule changed.", (*_TYPE, "rule"), tally.adjustments.items())
    errors = [((name,), tally.errors[name]) for name in names]
    yield _counter("scale_errors", "Ticks on which the processes could not be observed or scaled.", _TYPE, errors)
    reactions: dict[tuple[str, ...], Histogram] = {(name,): histogram for name, histogram in tally.reactions.items()}
    yield _histogram("reaction_seconds", "Seconds from the newest sample to the call of the backend.", _TYPE, reactions)


def blocking_rules(decision: Decision) -> tuple[str, ...]:
    """Name the rules that moved the number of a decision nearer to what runs: those that hold a change back."""
    desired = decision.observation.counts.desired
    return tuple(dict.fromkeys(one.rule for one in decision.adjustments if abs(one.after - desired) < abs(one.before - desired)))


def _gauge(name: str, text: str, labels: tuple[str, ...], samples: _Samples) -> Metric:
    family = GaugeMetricFamily(f"autoscaler_{name}", text, labels=labels)
    for values, value in samples:
        family.add_metric(values, float(value))
    return family


def _counter(name: str, text: str, labels: tuple[str, ...], samples: _Samples) -> Metric:
    family = CounterMetricFamily(f"autoscaler_{name}", text, labels=labels)
    for values, value in samples:
        family.add_metric(values, float(value))
    return family


def _histogram(name: str, text: str, labels: tuple[str, ...], samples: Mapping[tuple[str, ...], Histogram]) -> Metric:
    family = HistogramMetricFamily(f"autoscaler_{name}", text, labels=labels)
    for values, histogram in samples.items():
        bounds = [*map(floatToGoString, histogram.bounds), "+Inf"]
        family.add_metric(values, list(zip(bounds, accumulate(histogram.counts), strict=True)), histogram.total)
    return family
