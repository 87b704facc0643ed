"""Group the commands without importing one before it is asked for, so that help texts load fast."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

ENTRY_POINTS = "autoscaler.commands"


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """A command that is known before it is imported: its module, the function in it, and one line of help."""

    module: str
    function: str
    help: str

    def load(self) -> click.Command:
        """Import the command; raise ``click.ClickException`` when that fails or finds no command."""
        name = f"{self.module}:{self.function}"
        try:
            command = getattr(importlib.import_module(self.module), self.function)
        except (ImportError, AttributeError) as error:
            raise click.ClickException(f"{name} cannot be loaded ({error}); reinstall the package it comes from") from error
        if not isinstance(command, click.Command):
            raise click.ClickException(f"{name} is no click command; update the package it comes from")
        return command


class LazyGroup(click.Group):
    """A group that lists its own commands and those of the entry-point group ``autoscaler.commands``."""

    # Any: click's own signature takes whatever a group takes.
    def __init__(self, *arguments: Any, lazy_commands: Mapping[str, LazyCommand], **attributes: Any) -> None:
        """Take our own commands by name, in the order of the help text."""
        super().__init__(*arguments, **attributes)
        self._own = lazy_commands

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name every command, our own first."""
        del ctx
        return list({**self._own, **_plugins()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; ``None`` for an unknown name."""
        del ctx
        found = self._own.get(cmd_name) or _plugins().get(cmd_name)
        return found.load() if found else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the name and the one line of each command."""
        del ctx
        rows = [(name, command.help) for name, command in {**_plugins(), **self._own}.items()]
        with formatter.section("Commands"):
            formatter.write_dl(sorted(rows, key=lambda row: row[0] not in self._own))


def _plugins() -> dict[str, LazyCommand]:
    # Imported here: it costs as much as click itself, and most calls name a command of our own.
    from importlib.metadata import entry_points  # noqa: PLC0415 - see above

    points = sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)
    return {point.name: LazyCommand(point.module, point.attr, _first_sentence(point.module)) for point in points}


def _first_sentence(module: str) -> str:
    """Return the first line of a module's docstring, read without running the module."""
    from importlib.util import find_spec  # noqa: PLC0415 - only needed where plug-ins are listed

    try:
        spec = find_spec(module)
    except ImportError:
        spec = None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return f"from {module}"
    docstring = ast.get_docstring(ast.parse(Path(spec.origin).read_bytes())) or f"from {module}"
    return docstring.splitlines()[0]
