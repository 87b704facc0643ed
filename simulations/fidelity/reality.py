"""Check the simulator against a real formation: the demo's processes on this machine, under a recorded load that is compressed."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autoscaler.act.backend import Backend
from autoscaler.clock import SystemClock
from autoscaler.config.loading import load
from autoscaler.demo.configuration import Place, choose_place, write_configuration
from autoscaler.demo.curve import Curve
from autoscaler.demo.ending import Ending
from autoscaler.demo.jobs import Jobs, create
from autoscaler.demo.leftovers import end_marked
from autoscaler.demo.load import Load
from autoscaler.demo.usage import UsageListener
from autoscaler.demo.work import JOB_SECONDS, REQUEST_SECONDS
from autoscaler.loop import Controller, connect_backends
from autoscaler.loop.connect import close_backends
from autoscaler.settings import Settings
from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.durations import Deterministic
from autoscaler_simulations.engine.experiment import Experiment, Workload
from autoscaler_simulations.engine.measures import Measure
from autoscaler_simulations.engine.result import run
from autoscaler_simulations.load.arrivals import Arrivals
from autoscaler_simulations.load.trace import JobList, RateCurve
from autoscaler_simulations.load.trace_csv import read_trace
from autoscaler_simulations.plant.life import Life
from autoscaler_simulations.score.objective import Objective
from autoscaler_simulations.score.score import TypeScore
from fidelity.result import Result

_NAME = "simulation against a real local formation"
_TRACES = "TRACES"  # the environment variable that names the folder of recorded loads
_TRACE = "autothrottle_diurnal_1s.csv"  # an hour, which becomes the two minutes
_SECONDS = 120.0
_RUNS = 3
_PEAKS = {"web": 32.0, "worker": 8.0}  # arrivals a second in the busiest two seconds, of types that do 10 and 2.5 a second
_SERVICES = {"web": REQUEST_SECONDS, "worker": JOB_SECONDS}
# Seconds of a request beside its work, as measured with a full queue: accept and answer; claim and finish.
_OVERHEADS = {"web": 0.001, "worker": 0.0005}
_STARTUP_SECONDS = 0.2  # of a Python process on an idle machine; told to both configurations
_LOOK_SECONDS = 0.05  # between two looks at what runs
_P95 = 95
_HOUR = 3600.0
_COST_WITHIN, _WAIT_WITHIN, _SCALINGS_WITHIN = 0.05, 0.15, 2


@dataclass(frozen=True, slots=True)
class Figures:
    """What one process type did in two minutes."""

    process_seconds: float
    wait_p95: float
    scalings: int


@dataclass(frozen=True, slots=True)
class Agenda(Curve):
    """A load whose every arrival is known before."""

    requests: tuple[float, ...] = ()
    jobs: tuple[float, ...] = ()

    def request_times(self) -> tuple[float, ...]:
        """Return when each web request is due."""
        return self.requests

    def job_times(self) -> tuple[float, ...]:
        """Return when each job is due."""
        return self.jobs


def check() -> Result:
    """Run the real formation and the simulated one under the same arrivals, three times each, and compare."""
    path = Path(os.environ.get(_TRACES, "../shared/traces")) / _TRACE
    if not path.exists():
        return Result(_NAME, holds=False, lines=(f"there is no {path}; name the folder of recorded loads: {_TRACES}=...",))
    pairs = [_pair(_agenda(path, seed), seed) for seed in range(_RUNS)]
    lines: list[str] = []
    verdicts: list[bool] = []
    for name in _PEAKS:
        for said, holds in _compare([real[name] for real, _ in pairs], [simulated[name] for _, simulated in pairs]):
            lines.append(f"{name}: {said}{'' if holds else '  DOES NOT HOLD'}")
            verdicts.append(holds)
    return Result(_NAME, holds=all(verdicts), lines=tuple(lines))


def _agenda(path: Path, seed: int) -> Agenda:
    trace = read_trace(path)
    if not isinstance(trace, RateCurve):
        raise TypeError(f"{path} is no load of counts")
    compressed = RateCurve(_SECONDS / len(trace.rates), trace.rates)
    times = {name: _arrivals(compressed, peak, seed, number) for number, (name, peak) in enumerate(_PEAKS.items())}
    return Agenda(_SECONDS, tuple(times["web"].tolist()), tuple(times["worker"].tolist()))


def _arrivals(curve: RateCurve, peak: float, seed: int, number: int) -> Floats:
    scaled = RateCurve(curve.interval_seconds, curve.rates * peak / curve.rates.max())
    blocks = Arrivals(scaled, Deterministic(mean_seconds=1.0)).blocks(np.random.default_rng([seed, number]))
    return np.concatenate([block.arrivals for block in blocks])


def _pair(agenda: Agenda, seed: int) -> tuple[dict[str, Figures], dict[str, Figures]]:
    with tempfile.TemporaryDirectory(prefix="autoscaler-fidelity-") as folder:
        place = choose_place(Path(folder))
        write_configuration(place, _SECONDS)
        place.file.write_text(place.file.read_text().replace("    minimum: 1\n", f"    minimum: 1\n    startup: {_STARTUP_SECONDS:g}s\n"))
        create(place.jobs)
        settings = load(place.file, os.environ)
        try:
            real = _run_really(place, settings, agenda)
        finally:
            end_marked(place.token)
        return real, _simulate(settings, agenda, seed)


# Really


class _Census:
    """Adds up the processes that live, in a thread of its own."""

    def __init__(self, backend: Backend) -> None:
        self.process_seconds = dict.fromkeys(_PEAKS, 0.0)
        self._backend = backend

    @contextmanager
    def taken(self, seconds: float) -> Iterator[None]:
        """Count for so many seconds beside whatever happens within."""
        thread = threading.Thread(target=self._count, args=(seconds,), daemon=True)
        thread.start()
        yield
        thread.join()

    def _count(self, seconds: float) -> None:
        began = before = time.monotonic()
        while before < began + seconds:
            time.sleep(_LOOK_SECONDS)
            now = min(time.monotonic(), began + seconds)
            for name, formation in self._backend.observe().types.items():
                self.process_seconds[name] += (formation.counts.capacity + formation.counts.draining) * (now - before)
            before = now


def _run_really(place: Place, settings: Settings, agenda: Agenda) -> dict[str, Figures]:
    ending, usage = Ending(), UsageListener()
    offering = Load(agenda, place.web, place.jobs, ending.stop.set)
    with ExitStack() as stack:
        backends = connect_backends(settings, {})
        stack.callback(close_backends, backends, ending.hurry)
        census = _Census(next(iter(backends.values())))
        stack.enter_context(census.taken(_SECONDS))
        controller = Controller(settings, backends, clock=SystemClock(), pauses=lambda _wall: {}, listeners=(usage,))
        offering.start()
        stack.callback(offering.stop)
        controller.run(ending.stop)
    offering.join()
    with Jobs(place.jobs) as jobs:
        waits = {"web": np.array(offering.offered.response_seconds) - REQUEST_SECONDS - _OVERHEADS["web"], "worker": np.array(jobs.waits())}
    return {name: Figures(census.process_seconds[name], _p95(waits[name]), _scalings(usage, name)) for name in _PEAKS}


def _p95(waits: Floats) -> float:
    return float(np.percentile(np.maximum(waits, 0.0), _P95))


def _scalings(usage: UsageListener, name: str) -> int:
    return sum(moment.action in {"scale_out", "scale_in"} for moment in usage.moments[name])


# Simulated


def _simulate(settings: Settings, agenda: Agenda, seed: int) -> dict[str, Figures]:
    experiment = Experiment(
        name="the demo",
        settings=settings,
        workloads={"web": _workload("web", agenda.requests), "worker": _workload("worker", agenda.jobs)},
        measures=_MEASURES,
        length_seconds=_SECONDS,
    )
    return {name: _figures(score) for name, score in run(experiment, seed).score.types.items()}


def _figures(score: TypeScore) -> Figures:
    return Figures(score.use.process_hours * _HOUR, score.waits.wait.p95 or 0.0, score.use.scale_outs + score.use.scale_ins)


def _workload(name: str, arrivals: tuple[float, ...]) -> Workload:
    services = np.full(len(arrivals), _SERVICES[name] + _OVERHEADS[name])
    life = Life(startup=Deterministic(mean_seconds=_STARTUP_SECONDS))
    return Workload(trace=JobList(np.array(arrivals), services, _SECONDS), service=None, life=life, objective=Objective("wait", 1.0), running=0)


_MEASURES: Mapping[str, Measure] = {
    "requests_per_second": Measure(kind="completion_rate", process_type="web", each_process=True),
    "jobs_waiting": Measure(kind="waiting", process_type="worker"),
    "jobs_running": Measure(kind="busy", process_type="worker"),
}


# Compared


def _compare(real: list[Figures], simulated: list[Figures]) -> Iterator[tuple[str, bool]]:
    """Yield a sentence and a verdict for each figure: of the means, and for waits within the spread of the real runs where it is wider."""
    cost, told = _mean([one.process_seconds for one in real]), _mean([one.process_seconds for one in simulated])
    off = told / cost - 1
    yield f"process-seconds {cost:.1f} real, {told:.1f} simulated ({off:+.1%}, within {_COST_WITHIN:.0%})", abs(off) <= _COST_WITHIN
    waits = [one.wait_p95 for one in real]
    wait, told = _mean(waits), _mean([one.wait_p95 for one in simulated])
    allowed, spread = max(_WAIT_WITHIN * wait, max(waits) - min(waits)), f"{min(waits):.3f} to {max(waits):.3f}"
    said = f"p95 wait {wait:.3f} s real ({spread}), {told:.3f} s simulated ({told - wait:+.3f}, within {allowed:.3f})"
    yield said, abs(told - wait) <= allowed
    scalings, told = _mean([one.scalings for one in real]), _mean([one.scalings for one in simulated])
    yield f"scalings {scalings:.1f} real, {told:.1f} simulated (within {_SCALINGS_WITHIN})", abs(told - scalings) <= _SCALINGS_WITHIN


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
