"""Find and read the configuration that a command is about."""

from __future__ import annotations

import os
from pathlib import Path

import click

from autoscaler.config.loading import load
from autoscaler.config.lookup import find
from autoscaler.settings import Settings

config_option = click.option(
    "-c",
    "--config",
    metavar="FILE",
    help="The configuration. [default: $AUTOSCALER_CONFIG, ./autoscaler.yaml, /etc/autoscaler/autoscaler.yaml, ./Procfile]",
)


def find_configuration(config: str | None) -> Path:
    """Find the file by the lookup order; raise ``ConfigurationError`` naming the places when there is none."""
    return find(config, os.environ, Path())


def load_configuration(path: Path) -> Settings:
    """Read a configuration or a Procfile; raise ``ConfigurationError`` with every mistake."""
    return load(path, os.environ)


def load_and_tell(config: str | None) -> Settings:
    """Find and read the configuration, and print on standard error which one is used."""
    path = find_configuration(config)
    click.echo(f"configuration: {path}", err=True)
    return load_configuration(path)


def contents(settings: Settings) -> str:
    """Count what a configuration holds, as ``2 process types, 1 metric``."""
    return f"{_count(len(settings.types), 'process type')}, {_count(len(settings.metrics), 'metric')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
