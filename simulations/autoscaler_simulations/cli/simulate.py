"""Try a configuration on a load offline: who waits, what it costs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import click

from autoscaler.cli.failures import CommandError
from autoscaler.events import Listener
from autoscaler.record import RecordError, RecordWriter, to_json
from autoscaler_simulations.cli.progress import follow
from autoscaler_simulations.engine.experiment import Experiment, Fidelity
from autoscaler_simulations.engine.result import Result, Run
from autoscaler_simulations.engine.together import together
from autoscaler_simulations.load.recorded import Recorded
from autoscaler_simulations.load.trace import Trace
from autoscaler_simulations.scenario.named import abouts, find_scenario
from autoscaler_simulations.scenario.preparing import Changes, prepare
from autoscaler_simulations.scenario.reading import read_scenario
from autoscaler_simulations.scenario.scenario import Scenario

_SEED = click.IntRange(min=0)
_RUNS = click.IntRange(min=1, max=1000)
_STANDARD_OUTPUT = "-"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line, beside the scenario."""

    traces: tuple[str, ...]
    seed: int | None
    runs: int
    fidelity: Fidelity | None
    record: str | None
    as_json: bool

    def is_as_written(self, scenario: Scenario) -> bool:
        """Tell whether the scenario runs as its file says, so that what the file expects should come out."""
        return not self.traces and self.seed in (None, scenario.seed) and self.fidelity is None

    @property
    def is_record_printed(self) -> bool:
        """Tell whether standard output is taken by the record, so that the result goes to standard error."""
        return self.record == _STANDARD_OUTPUT


@click.command
@click.argument("scenario")
@click.option("--trace", "traces", multiple=True, metavar="[TYPE=]CSV", help="Another load for a type, or the first, scaled to the peak of its own.")
@click.option("--seed", type=_SEED, metavar="N", help="Of all that happens by chance. [default: the scenario's]")
@click.option("--runs", type=_RUNS, default=1, show_default=True, metavar="N", help="With so many seeds, one after another, and their confidence.")
@click.option("--fidelity", type=click.Choice(["requests", "flow"]), help="Every request, or flows. [default: the scenario's]")
@click.option("--record", metavar="FILE", help="Write the decision record of the first run; - for standard output.")
@click.option("--json", "as_json", is_flag=True, help="Print each result as a line of JSON, and nothing else.")
def simulate(scenario: str, **options: Any) -> None:  # Any: click passes each of its own type
    """Run SCENARIO, a YAML file or a name, on a virtual clock and without touching anything.

    Policies and pipeline are those of production; processes and the queue before them are simulated. `autoscaler simulate list` shows the
    scenarios that have a name. The exit code is 1 when a scenario that runs as it is written does not come out as it expects.
    """
    if scenario == "list":
        click.echo("\n".join(f"{name:20} {about}" for name, about in abouts().items()))
        return
    wish = Wish(**options)
    if wish.as_json and wish.is_record_printed:
        raise click.UsageError("--json and --record - both write to standard output; write the record to a file")
    _simulate(read_scenario(find_scenario(scenario), os.environ), wish)


def _simulate(scenario: Scenario, wish: Wish) -> None:
    experiment = prepare(scenario, Changes(traces=_traces(scenario, wish.traces), fidelity=wish.fidelity))
    for note in _notes(scenario, experiment):
        click.echo(f"note: {note}", err=True)
    results = []
    for result in _results(scenario, experiment, wish):
        results.append(result)
        if wish.as_json:
            click.echo(to_json(result.as_json()))
    if not wish.as_json:
        click.echo("\n".join(_lines(scenario, results)), err=wish.is_record_printed)
    elif len(results) > 1:
        click.echo(to_json(together(results).as_json()))
    if wish.is_as_written(scenario) and scenario.expectations:
        _judge(scenario, results[0], wish)


def _results(scenario: Scenario, experiment: Experiment, wish: Wish) -> Iterator[Result]:
    first = scenario.seed if wish.seed is None else wish.seed
    for seed in range(first, first + wish.runs):
        with ExitStack() as stack:
            listeners = _recorders(wish.record if seed == first else None, stack)
            run = Run(experiment, seed, listeners)
            for _ in follow(((at, None) for at in run.go()), experiment.length_seconds, f"{scenario.name}, seed {seed}"):
                pass
            yield run.result()


def _recorders(target: str | None, stack: ExitStack) -> list[Listener]:
    if target is None:
        return []
    writer = RecordWriter(target, _refuse)
    stack.callback(writer.close)
    return [writer]


def _refuse(trouble: RecordError) -> None:
    """Stop at the first line that cannot be written: no formation needs a simulation to go on."""
    raise trouble


def _traces(scenario: Scenario, given: tuple[str, ...]) -> dict[str, Trace]:
    """Read the traces that were named; raise ``click.BadParameter`` for a type that has no load, or two."""
    types = tuple(scenario.processes)
    traces: dict[str, Trace] = {}
    for text in given:
        name, separator, path = text.partition("=")
        if not separator or "/" in name:  # a path may hold the sign itself
            name, path = types[0], text
        if name not in types:
            raise click.BadParameter(f"{name!r} has no load in this scenario; use one of {', '.join(types)}", param_hint="--trace")
        if name in traces:
            raise click.BadParameter(f"{name} is given two loads; keep one, or name another type as TYPE=CSV", param_hint="--trace")
        traces[name] = Recorded(file=path).trace()
    return traces


def _notes(scenario: Scenario, experiment: Experiment) -> Iterator[str]:
    """Yield what an operator should know before he believes the result."""
    yield from scenario.settings.warnings
    yield from (f"nothing is said of the load of {name}, so nothing arrives there" for name in experiment.workloads if name not in scenario.processes)
    if late := scenario.faults_after(experiment.length_seconds):
        yield f"faults that begin after the end, at {experiment.length_seconds:g} s, do not happen: {late} of them"
    for one in scenario.settings.types:
        busy = experiment.workloads[one.name].work_seconds / one.process_type.slots / experiment.length_seconds
        if busy > one.process_type.maximum:
            yield f"the load of {one.name} would keep {busy:.1f} processes busy in the mean, and its maximum is {one.process_type.maximum}"


def _judge(scenario: Scenario, result: Result, wish: Wish) -> None:
    types = {name: score.as_json() for name, score in result.score.types.items()}
    judged = [expectation.judge(types[expectation.process_type]) for expectation in scenario.expectations]
    broken = [sentence for sentence in judged if sentence is not None]
    if broken:
        raise CommandError("\n".join(f"not as {scenario.path} expects: {sentence}" for sentence in broken))
    if not wish.as_json:
        click.echo(f"\nas expected: all {len(judged)} figures", err=wish.is_record_printed)


def _lines(scenario: Scenario, results: list[Result]) -> list[str]:
    first = results[0]
    lines = [f"{scenario.name}: {scenario.about}" if scenario.about else scenario.name]
    configuration = scenario.settings.path or scenario.path
    lines.append(f"seed {first.seed}, fidelity {first.experiment.fidelity}, {first.ticks} ticks; the configuration is in {configuration}")
    lines += first.score.as_lines()
    if len(results) > 1:
        lines += ["", *together(results).as_lines()]
    return lines
