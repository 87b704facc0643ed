"""End the operator's pause of a process type."""

from __future__ import annotations

import click

from autoscaler.cli.configuration import config_option
from autoscaler.cli.operator import name_formation
from autoscaler.cli.pause import who_sees
from autoscaler.clock import SystemClock


@click.command
@config_option
@click.argument("process_type", metavar="TYPE")
def resume(config: str | None, process_type: str) -> None:
    """End the pause of TYPE; a pause in the configuration is ended there."""
    formation = name_formation(config)
    formation.checked(process_type)
    pauses = formation.pauses()
    if not pauses.resume(process_type, SystemClock().wall()):
        click.echo(f"{process_type}: was not paused by an operator; nothing to resume")
        return
    click.echo(f"{process_type}: resumed")
    click.echo(who_sees(pauses))
