"""Write a commented configuration to start from."""

from __future__ import annotations

from pathlib import Path

import click

from autoscaler.act.procfile import read_procfile
from autoscaler.cli.failures import CommandError
from autoscaler.config.template import init_text

_NAME = "autoscaler.yaml"
_PROCFILE = Path("Procfile")


@click.command
@click.option("-f", "--force", is_flag=True, help="Replace a file that is there.")
def init(*, force: bool) -> None:
    """Write a commented autoscaler.yaml into this folder, with the process types of its Procfile if there is one."""
    types = tuple(read_procfile(_PROCFILE).commands) if _PROCFILE.exists() else ()
    try:
        with Path(_NAME).open("w" if force else "x", encoding="utf-8") as file:
            file.write(init_text(types))
    except FileExistsError as error:
        raise CommandError(f"{_NAME} is there already; replace it with: autoscaler init --force") from error
    except OSError as error:
        raise CommandError(f"{_NAME} cannot be written: {error.strerror}") from error
    click.echo(f"wrote {_NAME}; look it over, then: autoscaler check")
