"""Run the controller in the foreground."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

import click

from autoscaler.act.local import Local
from autoscaler.cli.configuration import config_option, find_configuration, load_configuration
from autoscaler.cli.failures import CommandError, WrongConfigurationError
from autoscaler.cli.line_writer import LineWriter
from autoscaler.cli.live import Live
from autoscaler.cli.log import Log, LogHandler
from autoscaler.cli.log_format import LogFormat, open_logger
from autoscaler.cli.surroundings import Options
from autoscaler.settings import Settings

_STANDARD_ERROR = 2
_LAST_LINES_SECONDS = 0.3  # how long the end waits for whoever reads the log


@click.command
@config_option
@click.option("--dry-run", is_flag=True, help="Observe and decide, but change nothing.")
@click.option("--once", is_flag=True, help="Act on one tick and leave; not for processes that end with the controller.")
@click.option("--record", metavar="FILE", help="Append every decision as a line of JSON; - is standard output.")
@click.option("--log-format", type=click.Choice(get_args(LogFormat)), default="auto", show_default=True, help="Of the log on standard error.")
def run(config: str | None, record: str | None, log_format: LogFormat, *, dry_run: bool, once: bool) -> None:
    """Run the controller in the foreground, until SIGTERM or SIGINT; SIGHUP reloads the configuration.

    A second signal ends it without waiting for processes that drain.
    """
    path = find_configuration(config)
    settings = load_configuration(path)
    if record == "-":
        Local.output = _STANDARD_ERROR  # what the children print must not stand between the lines of the record
    options = Options(path=path, is_dry_run=dry_run, record=record)
    with _open_log(log_format) as log:
        if once:
            _run_once(settings, options, log)
        else:
            Live(settings, options, log).run()


def _run_once(settings: Settings, options: Options, log: Log) -> None:
    local = [name for name, backend in settings.backends.items() if isinstance(backend, Local)]
    if local and not options.is_dry_run:
        raise WrongConfigurationError(
            f"--once: the processes of backend {local[0]} (local) end with the controller; run without --once, or with --dry-run"
        )
    tick = Live(settings, options, log).run_once()
    if tick.errors:
        raise CommandError("\n".join(f"{name}: {error}" for name, error in tick.errors.items()))


@contextmanager
def _open_log(log_format: LogFormat) -> Iterator[Log]:
    writer = LineWriter(sys.stderr.fileno())
    log = Log(open_logger(writer, log_format, sys.stderr.fileno(), os.environ))
    logging.getLogger().addHandler(LogHandler(log))
    try:
        yield log
    finally:
        writer.close(_LAST_LINES_SECONDS)
