"""Check that every scenario runs on every recorded load."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import isclose
from pathlib import Path

from autoscaler.model import AutoscalerError
from autoscaler_simulations.engine.experiment import Experiment
from autoscaler_simulations.engine.result import Run
from autoscaler_simulations.load.curves import cut
from autoscaler_simulations.load.trace_csv import read_trace
from autoscaler_simulations.plant.queue import Tally
from autoscaler_simulations.scenario.named import find_scenario, scenario_names
from autoscaler_simulations.scenario.preparing import Changes, prepare
from autoscaler_simulations.scenario.reading import read_scenario
from autoscaler_simulations.scenario.scenario import Scenario
from fidelity.result import Result

_TRACES = Path(__file__).resolve().parents[3] / "shared" / "traces"
_NAME = "every scenario on every trace"
_TICKS = 5000  # of a run: the beginning of a long trace stands for the whole
_LIMIT_SECONDS = 60.0  # of a run
_ROUNDING = 1e-9  # of the requests


@dataclass(frozen=True, slots=True)
class _Ran:
    """How one run went; ``cause`` says why it does not hold."""

    scenario: str
    trace: str
    seconds: float
    cause: str | None = None


def check() -> Result:
    """Run each scenario with each trace in the place of its first load, and tell how long the runs took."""
    traces = sorted(_TRACES.glob("*.csv"))
    if not traces:
        return Result(_NAME, holds=False, lines=(f"there is no trace in {_TRACES}; put CSV files there",))
    runs = [_ran(read_scenario(find_scenario(name), {}), trace) for name in scenario_names() for trace in traces]
    return Result(_NAME, holds=not any(each.cause for each in runs), lines=tuple(_lines(runs)))


def _ran(scenario: Scenario, trace: Path) -> _Ran:
    began = time.monotonic()
    try:
        cause = _run(_experiment(scenario, trace), began + _LIMIT_SECONDS)
    except AutoscalerError as error:
        cause = str(error)
    return _Ran(scenario.name, trace.stem, time.monotonic() - began, cause)


def _experiment(scenario: Scenario, trace: Path) -> Experiment:
    whole = read_trace(trace)
    length = min(whole.length_seconds, _TICKS * scenario.settings.interval_seconds)
    return prepare(scenario, Changes(traces={next(iter(scenario.processes)): cut(whole, length)}))


def _run(experiment: Experiment, deadline: float) -> str | None:
    """Return why the run does not hold; the engine raises for a queue that loses count."""
    going = Run(experiment, seed=1)
    for at in going.go():
        if time.monotonic() > deadline:
            return f"took more than {_LIMIT_SECONDS:g} s, and had reached {at:.0f} of {experiment.length_seconds:.0f} s"
    tallies = {name: score.tally for name, score in going.result().score.types.items()}
    lost = [name for name, tally in tallies.items() if not _is_conserved(tally)]
    return f"lost count of the requests of {', '.join(lost)}" if lost else None


def _is_conserved(tally: Tally) -> bool:
    known = tally.completed + tally.waiting + tally.busy + tally.dropped + tally.lost
    return isclose(tally.arrived, known, rel_tol=_ROUNDING, abs_tol=_ROUNDING)


def _lines(runs: list[_Ran]) -> Iterator[str]:
    """Write a line for each scenario, and one for each run that does not hold."""
    yield f"{len(runs)} runs of at most {_TICKS} ticks; seconds in the mean, and the slowest trace"
    for scenario in dict.fromkeys(each.scenario for each in runs):
        own = [each for each in runs if each.scenario == scenario]
        slowest = max(own, key=lambda each: each.seconds)
        yield f"{scenario:16} {sum(each.seconds for each in own) / len(own):6.2f} {slowest.seconds:6.2f} {slowest.trace}"
    yield from (f"{each.scenario} on {each.trace}: {each.cause}" for each in runs if each.cause)
