"""Validate the configuration, and on demand ask everything in it once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from threading import Event

import click

from autoscaler.act.backend import Backend, BackendError
from autoscaler.cli.configuration import config_option, contents, find_configuration, load_configuration
from autoscaler.cli.failures import CommandError
from autoscaler.cli.one_tick import take_one_tick
from autoscaler.clock import SystemClock
from autoscaler.events import BoardEntry, Tick
from autoscaler.loop import Controller, observe_backends
from autoscaler.loop.connect import close_backends
from autoscaler.settings import Settings

_MOST_CAUSES = 3  # told of one backend


@click.command
@config_option
@click.option("--connect", is_flag=True, help="Poll every metric and observe every backend once.")
def check(config: str | None, *, connect: bool) -> None:
    """Validate the configuration: every mistake is named with its line, column and fix."""
    path = find_configuration(config)
    settings = load_configuration(path)
    for warning in settings.warnings:
        click.echo(f"warning: {warning}")
    click.echo(f"{path}: ok: {contents(settings)}")
    answers = [_say(*answer) for answer in _ask_everything(settings)] if connect else []
    if not all(answers):
        raise CommandError(f"{path}: not everything in it answers")


def _say(what: str, answer: str, cause: str | None) -> bool:
    """Print one line; return whether it is good news."""
    click.echo(f"{what}: failed: {cause}" if cause is not None else f"{what}: ok: {answer}")
    return cause is None


def _ask_everything(settings: Settings) -> Iterator[tuple[str, str, str | None]]:
    """Give the name, the answer, and why there is none, of each backend and each metric."""
    backends: dict[str, Backend] = {}
    for name, plugin in settings.backends.items():
        try:
            backends |= observe_backends(replace(settings, backends={name: plugin}))
        except BackendError as error:
            yield f"backend {name}", "", str(error)
    controller = Controller(settings, backends, clock=SystemClock(), pauses=lambda _: {}, listeners=())
    try:
        tick = take_one_tick(controller, settings)
    finally:
        close_backends(backends, Event())
    yield from ((f"backend {name}", *_observed(name, settings, tick)) for name in backends)
    for note in dict.fromkeys(note for seen in tick.formations.values() for note in seen.notes):
        click.echo(f"note: {', '.join(name for name, seen in tick.formations.items() if note in seen.notes)}: {note}")
    yield from ((f"metric {name}", *_read(entry)) for name, entry in tick.board.items())


def _observed(backend: str, settings: Settings, tick: Tick) -> tuple[str, str | None]:
    types = [one.name for one in settings.types if one.backend == backend]
    counts = ", ".join(f"{name} {tick.formations[name].counts.desired}" for name in types if name in tick.formations)
    causes = {name: tick.errors[name].removeprefix("not observed: ") for name in types if name in tick.errors}
    causes |= {name: seen.obstacle for name in types if (seen := tick.formations.get(name)) and seen.obstacle}
    return counts or "no process types", _in_one_line(causes)


def _in_one_line(causes: Mapping[str, str]) -> str | None:
    """Say what is wrong with some types: once where it is the same for all, and no more than fits."""
    if len(set(causes.values())) <= 1:
        return next((f"{name}: {cause}" if len(causes) == 1 else cause for name, cause in causes.items()), None)
    said = [f"{name}: {cause}" for name, cause in causes.items()]
    return "; ".join([*said[:_MOST_CAUSES], *([f"and {len(said) - _MOST_CAUSES} more"] if len(said) > _MOST_CAUSES else [])])


def _read(entry: BoardEntry) -> tuple[str, str | None]:
    return (f"{entry.reading.value:g}", None) if entry.reading else ("", entry.cause)
