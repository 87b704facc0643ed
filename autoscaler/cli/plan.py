"""Show what one tick would change, and why, without changing it."""

from __future__ import annotations

import os
import sys
from threading import Event

import click

from autoscaler.cli.configuration import config_option, load_and_tell
from autoscaler.cli.failures import CommandError
from autoscaler.cli.one_tick import take_one_tick
from autoscaler.clock import SystemClock
from autoscaler.events import Tick
from autoscaler.loop import Controller, observe_backends
from autoscaler.loop.connect import close_backends
from autoscaler.model import Decision
from autoscaler.pauses import find_pauses
from autoscaler.record import decision_line, to_json
from autoscaler.settings import Settings

_HEADINGS = ("process type", "now", "target", "action", "why")


@click.command
@config_option
@click.option("--json", "as_json", is_flag=True, envvar="AUTOSCALER_PLAN_JSON", help="Print the record's decision lines and nothing else.")
def plan(config: str | None, *, as_json: bool) -> None:
    """Show what the first tick of a controller would change, and why. Nothing is changed."""
    tick = _plan(load_and_tell(config))
    if as_json:
        click.echo("".join(to_json(decision_line(decision)) + "\n" for decision in tick.decisions), nl=False)
    elif sys.stdout.isatty():
        _print_table(tick)
    else:
        click.echo("".join(_line(decision) + "\n" for decision in tick.decisions), nl=False)
    if tick.errors:
        raise CommandError("\n".join(f"{name}: {error}" for name, error in tick.errors.items()))


def _plan(settings: Settings) -> Tick:
    backends = observe_backends(settings)
    pauses = find_pauses(os.environ, settings.formation_name)
    controller = Controller(settings, backends, clock=SystemClock(), pauses=pauses.read, listeners=())
    try:
        return take_one_tick(controller, settings)
    finally:
        close_backends(backends, Event())


def _line(decision: Decision) -> str:
    observation = decision.observation
    return f"{observation.process_type.name}: {observation.counts.desired} -> {decision.target} {decision.action}: {decision.reason}"


def _print_table(tick: Tick) -> None:
    from rich.console import Console  # noqa: PLC0415 - takes longer to import than everything else here
    from rich.table import Column, Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(*(Column(heading, no_wrap=heading != "why") for heading in _HEADINGS), box=None, header_style="bold")
    for decision in tick.decisions:
        observation = decision.observation
        cells = (observation.process_type.name, str(observation.counts.desired), str(decision.target), decision.action, decision.reason)
        table.add_row(*map(Text, cells), style="bold" if decision.action.startswith("scale") else None)
    Console().print(table)
