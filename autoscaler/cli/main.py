"""The command ``autoscaler``: find the command that was asked for, and tell its failures plainly."""

from __future__ import annotations

# Imports click only: help texts and shell completion run this module each time.
import sys
from contextlib import suppress
from typing import Any

import click

from autoscaler import __version__
from autoscaler.cli.failures import told_plainly
from autoscaler.cli.lazy_group import LazyCommand, LazyGroup
from autoscaler.cli.streams import flush_streams, open_closed_streams


def _own(name: str, help_line: str) -> LazyCommand:
    return LazyCommand(f"autoscaler.cli.{name}", name, help_line)


COMMANDS = {
    "demo": _own("demo", "Watch a real formation scale under a real load, for a minute."),
    "run": _own("run", "Run the controller in the foreground."),
    "check": _own("check", "Validate the configuration."),
    "plan": _own("plan", "Show what one tick would change, and why."),
    "pause": _own("pause", "Hold a process type still."),
    "resume": _own("resume", "End a pause."),
    "status": _own("status", "Ask a running controller what it does."),
    "export": _own("export", "Write files for systemd or Kubernetes."),
    "init": _own("init", "Write a commented configuration to start from."),
    "schema": _own("schema", "Print the JSON Schema of the configuration."),
    "completion": _own("completion", "Print the completion script of a shell."),
}


class _Program(LazyGroup):
    def invoke(self, ctx: click.Context) -> Any:  # Any: click's own signature
        with told_plainly():
            return super().invoke(ctx)


program = _Program(
    "autoscaler",
    lazy_commands=COMMANDS,
    help="Keep a twelve-factor process formation at the size its load needs.",
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "AUTOSCALER"},
)
click.version_option(__version__, prog_name="autoscaler", message="%(prog)s %(version)s")(program)


def main() -> None:
    """Run the program and exit with its code."""
    open_closed_streams()
    try:
        program(prog_name="autoscaler")
    except OSError as error:  # such as standard output on a full disk
        with suppress(OSError):
            click.echo(f"autoscaler: {error.strerror}", err=True)
        sys.exit(1)
    finally:
        flush_streams()
