"""Hold a process type still until it is resumed."""

from __future__ import annotations

import datetime as dt

import click
import durationpy

from autoscaler.cli.configuration import config_option
from autoscaler.cli.operator import name_formation
from autoscaler.clock import SystemClock
from autoscaler.pauses import OperatorPause, Pauses


def _seconds(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """Turn a duration such as ``2h`` into seconds above zero."""
    del context, parameter
    try:
        seconds = None if value is None else float(durationpy.from_str(value).total_seconds())
    except (durationpy.DurationError, OverflowError) as error:
        raise click.BadParameter(f"{value!r} is no duration; write it such as 90s, 30m, 2h or 1d") from error
    if seconds is not None and seconds <= 0:
        raise click.BadParameter(f"{value!r} is over at once; write a duration above 0s")
    return seconds


@click.command
@config_option
@click.argument("process_type", metavar="TYPE")
@click.option(
    "--for",
    "for_seconds",
    callback=_seconds,
    metavar="DURATION",
    envvar="AUTOSCALER_PAUSE_FOR",
    help="End by itself, such as 30m or 2h. [default: until resumed]",
)
@click.option("--reason", default="", help="Why; shown wherever the pause is.")
@click.option("--scale-in", is_flag=True, help="Hold back scale-in only.")
@click.option("--scale-out", is_flag=True, help="Hold back scale-out only.")
def pause(  # noqa: PLR0913 - one parameter for each option
    config: str | None, process_type: str, for_seconds: float | None, reason: str, *, scale_in: bool, scale_out: bool
) -> None:
    """Hold the processes of TYPE at their present number, against metrics and limits, until it is resumed.

    This works whether or not the controller runs, and outlives its restart.
    """
    formation = name_formation(config)
    formation.checked(process_type)
    wall = SystemClock().wall()
    is_both = scale_in == scale_out
    entry = OperatorPause(
        scale_out=scale_out or is_both, scale_in=scale_in or is_both, reason=reason, until=None if for_seconds is None else wall + for_seconds
    )
    pauses = formation.pauses()
    pauses.pause(process_type, entry, wall)
    click.echo(describe(process_type, entry))
    click.echo(who_sees(pauses))


def describe(process_type: str, entry: OperatorPause) -> str:
    """Write a pause as ``web: scale-in paused until 2025-11-22 10:00:00: migration``."""
    what = "paused" if entry.pause.both else "scale-out paused" if entry.scale_out else "scale-in paused"
    until = "" if entry.until is None else f" until {dt.datetime.fromtimestamp(entry.until).astimezone():%Y-%m-%d %H:%M:%S %Z}"
    return f"{process_type}: {what}{until}" + (f": {entry.reason}" if entry.reason else "")


def who_sees(pauses: Pauses) -> str:
    """Say whether a running controller acts on a change of the pauses."""
    if pauses.is_watched():
        return "the running controller acts on it at its next tick"
    return f"no controller of this formation runs with {pauses.path.parent}; one started later with this folder acts on it"
