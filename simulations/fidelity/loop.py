"""Hold whole simulations by flows to those of single requests: the decisions of either change what comes next."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import cycle, product
from pathlib import Path

import numpy as np

from autoscaler_simulations.engine.experiment import Fidelity
from autoscaler_simulations.engine.result import run
from autoscaler_simulations.scenario.preparing import Changes, prepare
from autoscaler_simulations.scenario.reading import read_scenario
from fidelity.result import Result

_NAME = "flows against requests, whole simulations"
_SEEDS = range(1, 16)
_HOURS_WITHIN = 0.02
_RELATIVE, _ABSOLUTE = 0.10, 0.002  # of the share over the objective
_BURSTS = (
    "{flash_crowd: {rate: 20, peak: 80, at: 30m, rise: 20s, hold: 10m, fall: 20s}}",
    "{flash_crowd: {rate: 0, peak: 60, at: 2h, rise: 0s, hold: 5m, fall: 0s}}",
    "{flash_crowd: {rate: 0, peak: 90, at: 3h, rise: 1m, hold: 15m, fall: 2m}}",
)
_LOADS = {
    "step": ("2h", "{step: {rate: 20, to: 80, at: 1h}}"),
    "diurnal": ("6h", "{diurnal: {trough: 10, peak: 90, period: 3h}}"),
    "bursty": ("4h", ", ".join(_BURSTS)),
}
_SERVICES = (  # with the slots of a process, and the requests a second that the policy gives it
    ("{exponential: {mean: 200ms}}", 4, 16.0),
    ("{lognormal: {mean: 200ms, scv: 4}}", 4, 14.0),
    ("{deterministic: {mean: 100ms}}", 1, 8.0),
    ("{exponential: {mean: 500ms}}", 2, 3.4),
)
_TICKS = cycle(("5s", "15s", "1m"))
_SCENARIO = """\
length: {length}
configuration:
  interval: {tick}
  backend: {{dry_run: {{}}}}
  metrics: {{rate: {{prometheus: {{url: 'http://127.0.0.1:9090', query: 'sum(rate(http_requests_total[1m]))'}}, every: {tick}, window: 1m}}}}
  formation: {{web: {{slots: {slots}, minimum: 1, maximum: 60, startup: 15s, policies: [{{target: {{metric: rate, per_process: {share}}}}}]}}}}
metrics: {{rate: {{arrival_rate: web, window: 1m}}}}
processes: {{web: {{load: [{load}], service: {service}, objective: {{wait: 500ms}}}}}}
"""


@dataclass(frozen=True, slots=True)
class Case:
    """One scenario, by name."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Means:
    """The figures of one fidelity, over all seeds."""

    process_hours: float
    over: float


def check() -> Result:
    """Run every scenario in both fidelities with the same seeds."""
    with ProcessPoolExecutor(2) as pool:
        judged = list(pool.map(_judge, _cases()))
    return Result(_NAME, holds=all(holds for _, holds in judged), lines=tuple(line for line, _ in judged))


def _cases() -> Iterator[Case]:
    for (name, (length, load)), (service, slots, share) in product(_LOADS.items(), _SERVICES):
        tick = next(_TICKS)
        text = _SCENARIO.format(length=length, load=load, service=service, slots=slots, share=share, tick=tick)
        yield Case(f"{name}, {service[1:-1]}, a tick each {tick}", text)


def _judge(case: Case) -> tuple[str, bool]:
    requests, flow = _means(case, "requests"), _means(case, "flow")
    off, more = flow.process_hours / requests.process_hours - 1, flow.over - requests.over
    allowed = max(_RELATIVE * requests.over, _ABSOLUTE)
    holds = abs(off) <= _HOURS_WITHIN and abs(more) <= allowed
    said = f"{requests.process_hours:.2f} process-hours {off:+.2%}, over {requests.over:.3%} and {flow.over:.3%} (within {allowed:.3%})"
    return f"{case.name}: {said}{'' if holds else '  DOES NOT HOLD'}", holds


def _means(case: Case, fidelity: Fidelity) -> Means:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.yaml"
        path.write_text(case.text)
        experiment = prepare(read_scenario(path, {}), Changes(fidelity=fidelity))
    scores = [run(experiment, seed).score.types["web"] for seed in _SEEDS]
    return Means(float(np.mean([score.use.process_hours for score in scores])), float(np.mean([score.waits.share or 0.0 for score in scores])))
