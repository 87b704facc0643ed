"""Find the process types to export, each with its command: in a configuration, in a Procfile, or in both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from autoscaler.model import ProcessType

_NO_PROCESS = ("release",)  # a phase before a deploy
_SINGLE = ("clock", "beat", "scheduler", "cron")  # they hold a schedule or an election of their own
_MAXIMUM = 4


def from_commands(commands: Mapping[str, str]) -> tuple[ProcessType, ...]:
    """Make the types of a Procfile that stands alone, without its release phase."""
    return tuple(_make(name, command) for name, command in commands.items() if name not in _NO_PROCESS)


def with_commands(process_types: Iterable[ProcessType], commands: Mapping[str, str]) -> tuple[ProcessType, ...]:
    """Give each type its own command, else the one of its name; a type that has neither stays without."""
    return tuple(each if each.command else replace(each, command=commands.get(each.name)) for each in process_types)


def without_secrets(process_types: Iterable[ProcessType], hide: Callable[[str], str]) -> tuple[tuple[ProcessType, ...], tuple[str, ...]]:
    """Leave out variables whose values ``hide`` finds to come from ``${NAME}``: everyone may read a unit; return a note on each."""
    types = tuple(process_types)
    secret = {each.name: [key for key, value in each.environment.items() if hide(value) != value] for each in types}
    notes = [
        f"environment of {name}: {key} comes from ${{...}} and is left out, as anyone may read a unit" for name in secret for key in secret[name]
    ]
    kept = (replace(each, environment={key: value for key, value in each.environment.items() if key not in secret[each.name]}) for each in types)
    return tuple(kept), tuple(f"{note}; put it into .env in the app's folder" for note in notes)


def _make(name: str, command: str) -> ProcessType:
    is_singleton = name in _SINGLE
    return ProcessType(name=name, minimum=1, maximum=1 if is_singleton else _MAXIMUM, command=command, is_singleton=is_singleton)
