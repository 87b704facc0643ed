"""What an operator's commands share: the formation they are about, and the file of its pauses."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import click

from autoscaler.cli.configuration import find_configuration, load_configuration
from autoscaler.config import ConfigurationError
from autoscaler.config.document import parse
from autoscaler.pauses import Pauses, find_pauses


@dataclass(frozen=True, slots=True)
class NamedFormation:
    """A formation as an operator speaks of it."""

    name: str  # Settings.formation_name
    types: tuple[str, ...]

    def checked(self, process_type: str) -> str:
        """Return a process type of this formation; raise ``click.BadParameter`` listing the types for any other."""
        if process_type not in self.types:
            raise click.BadParameter(f"{process_type!r} is no process type of {self.name}; it has {', '.join(self.types)}", param_hint="TYPE")
        return process_type

    def pauses(self) -> Pauses:
        """Find the pauses that its controller reads."""
        return find_pauses(os.environ, self.name)


def name_formation(config: str | None) -> NamedFormation:
    """Read which process types a configuration names.

    The operator's shell often lacks the secrets of the service, and a pause must also be possible while the file is broken: a
    configuration with mistakes is good enough as long as its ``formation:`` can be read.
    """
    path = find_configuration(config)
    try:
        settings = load_configuration(path)
    except ConfigurationError:
        types = _types_as_written(path)
        if not types:
            raise
        return NamedFormation(str(path.resolve()), types)
    return NamedFormation(settings.formation_name, tuple(one.name for one in settings.types))


def _types_as_written(path: Path) -> tuple[str, ...]:
    try:
        document = parse(path.read_text(), str(path)).written
    except (OSError, ValueError, ConfigurationError):
        return ()
    formation = document.get("formation") if isinstance(document, dict) else None
    return tuple(formation) if isinstance(formation, dict) else ()
