"""Print the JSON Schema of the configuration file."""

from __future__ import annotations

import json

import click

from autoscaler.config.json_schema import json_schema


@click.command
def schema() -> None:
    """Print the JSON Schema of the configuration.

    Editors complete and check the file with it: save it, and begin the file with
    "# yaml-language-server: $schema=FILE".
    """
    click.echo(json.dumps(json_schema(), indent=2))
