"""Watch a real formation scale under a real load."""

from __future__ import annotations

import signal
import sqlite3
import sys

import click

from autoscaler.cli.failures import CommandError
from autoscaler.cli.signals import answer_signals
from autoscaler.demo.display import Display, PlainLines, RecordLines
from autoscaler.demo.ending import Ending
from autoscaler.demo.outlet import Outlet
from autoscaler.demo.play import play

LEAST_SECONDS = 20
_MOST_SECONDS = 3600
_STANDARD_OUTPUT = 1
_LAST_WORDS_SECONDS = 5.0  # for a reader that is slow to take the end


@click.command()
@click.option("--seconds", default=60, show_default=True, metavar="N", help=f"How long the load lasts, {LEAST_SECONDS} to {_MOST_SECONDS}.")
@click.option("--json", "is_json", is_flag=True, help="Write every decision as a line of JSON, and a summary.")
@click.option("--plain", "is_plain", is_flag=True, help="Write lines, also in a terminal.")
def demo(seconds: int, is_json: bool, is_plain: bool) -> None:  # noqa: FBT001 - click passes them by name
    """Watch a real web app and its workers scale out and in, here and for a minute.

    Nothing has to be installed or configured, and nothing is left behind.
    """
    if not LEAST_SECONDS <= seconds <= _MOST_SECONDS:
        said = f"{seconds} is not from {LEAST_SECONDS} to {_MOST_SECONDS}; a shorter demo ends before the formation has scaled in"
        raise click.BadParameter(said, param_hint="--seconds")
    ending = Ending()
    _answer_signals(ending)
    outlet = Outlet(_STANDARD_OUTPUT, sys.stdout.encoding, lost=ending.interrupt)
    display = _choose_display(outlet, is_json=is_json, is_plain=is_plain)
    try:
        summary = play(seconds, display, ending)
        display.conclude(summary)
    except (OSError, sqlite3.Error) as error:
        raise CommandError(f"the demo cannot run: {error}") from error
    finally:
        outlet.finish(_LAST_WORDS_SECONDS)
    if summary.failures():
        raise CommandError("\n".join(f"the demo failed: {failure}" for failure in summary.failures()))


def _answer_signals(ending: Ending) -> None:
    calls = {signal.SIGINT: ending.interrupt, signal.SIGTERM: ending.interrupt}
    # A demo under nohup outlives its terminal; any other ends with it.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        calls[signal.SIGHUP] = ending.interrupt
    answer_signals(calls)


def _choose_display(outlet: Outlet, *, is_json: bool, is_plain: bool) -> Display:
    if is_json:
        return RecordLines(outlet)
    if is_plain or not outlet.isatty():
        return PlainLines(outlet)
    # Imported here: rich is only needed where somebody looks.
    from autoscaler.demo.live_table import LiveTable  # noqa: PLC0415 - see above

    return LiveTable(outlet)
