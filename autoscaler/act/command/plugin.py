"""Configure the backend that runs the commands of any process manager."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

from autoscaler.act.backend import Backend, require_sound
from autoscaler.act.command.engine import CommandEngine
from autoscaler.act.command.listing import PROCESS_LINE, STATES, TYPE_LINE, StateThere
from autoscaler.act.command.names import find_shared_names, require_template
from autoscaler.act.command.places import places_in, require_places
from autoscaler.act.remote.live import live_engine, observing
from autoscaler.act.remote.naming import TYPE, find_foreign_keys, find_name_mistakes
from autoscaler.model import Duration, DurationOrZero, Help, ProcessType
from autoscaler.shell import require_command

_PROCESS_PLACES = ("process", "processes", "type", "n")
_COUNT_PLACES = ("type", "count", "previous")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Run the formation by commands that list, start and stop processes of another process manager, or set their number.

    Commands are run by ``/bin/sh -c``; what is put into them is quoted. A list has one process a line, in which ``pattern`` finds
    the groups process (or type and n) and state, and perhaps want, which is added to the state, and seconds, for which it runs. With
    ``scale`` a list has one type a line, with the groups type, desired and perhaps running. Lines without them are passed over.
    A list that shows stopped processes too shows all there are; else those with other numbers can be started as well.
    """

    list: Annotated[str, Help("command that prints one process a line: its name and its state; with scale TYPE DESIRED RUNNING")]
    pattern: Annotated[str | None, Help("regular expression of such a line, with the groups process and state")] = None
    process: Annotated[str, Help("what a process is called: {type} and {n} for its number")] = "{type}.{n}"
    states: Annotated[Mapping[str, StateThere], Help(f"what each state means: {', '.join(STATES)}")] = field(
        default_factory=lambda: {state: state for state in STATES}
    )
    start: Annotated[str | None, Help("command that starts {process}, or all {processes} at once; {type} and {n} are known too")] = None
    stop: Annotated[str | None, Help("command that stops {process}, or all {processes} at once; {type} and {n} are known too")] = None
    scale: Annotated[str | None, Help("command that sets the number of processes of {type} to {count}, in place of start and stop")] = None
    names: Annotated[Mapping[str, str], Help("what a type is called there, where it is not its own name")] = field(default_factory=dict)
    ready_after_seconds: Annotated[DurationOrZero, Help("how long a process must have run to be ready; needs the group seconds")] = 0.0
    timeout_seconds: Annotated[Duration, Help("for each command")] = 10.0

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for commands that cannot be run, or that would tell or know nothing."""
        require_command(self.list, "list", "a shell command that prints one process a line")
        require_template(self.process)
        self._require_commands()
        groups = set(self.compiled().groupindex)
        needed = {"type", "desired"} if self.scale else {"state"} if {"type", "n"} <= groups else {"state", "process"}
        if not needed <= groups:
            raise ValueError(f"pattern has no group {min(needed - groups)}; write it as (?P<{min(needed - groups)}>...)")
        if self.ready_after_seconds and "seconds" not in groups:
            raise ValueError("ready_after needs the group seconds in pattern, for which a process has run; add it")

    def compiled(self) -> re.Pattern[str]:
        """Return what a line of the list looks like; raise ``ValueError`` for an expression that is none."""
        try:
            return re.compile(self.pattern or (TYPE_LINE if self.scale else PROCESS_LINE))
        except re.error as error:
            raise ValueError(f"pattern is no regular expression: {error}") from error

    def connect(self, process_types: tuple[ProcessType, ...], previous: Backend | None) -> Backend:
        """Be ready to run commands, without running one yet."""
        require_sound(self.mistakes(process_types))
        return live_engine(self, process_types, previous, partial(self._engine, process_types))

    def observer(self, process_types: tuple[ProcessType, ...]) -> Backend:
        """Be ready to list only, never to start or stop anything."""
        require_sound(self.mistakes(process_types))
        return observing(process_types, partial(self._engine, process_types))

    def mistakes(self, process_types: tuple[ProcessType, ...]) -> tuple[tuple[str, str], ...]:
        """Return (process type, sentence) for everything that would keep this backend from running them."""
        found = [*find_name_mistakes(process_types, TYPE, self.names), *find_foreign_keys(process_types, "another process manager")]
        return (*found, *find_shared_names(self.process, self._there(process_types)))

    def _engine(self, process_types: tuple[ProcessType, ...]) -> CommandEngine:
        return CommandEngine(self, self._there(process_types))

    def _there(self, process_types: tuple[ProcessType, ...]) -> dict[str, str]:
        return {each.name: self.names.get(each.name, each.name) for each in process_types}

    def _require_commands(self) -> None:
        if (self.scale is None) == (self.start is None or self.stop is None) or (self.scale and (self.start or self.stop)):
            raise ValueError("give start and stop, or scale in place of both")
        for key, known in (("start", _PROCESS_PLACES), ("stop", _PROCESS_PLACES), ("scale", _COUNT_PLACES)):
            command: str | None = getattr(self, key)
            if command is not None:
                require_command(command, key, "a shell command")
                require_places(command, key, known)
                _require_aim(command, key)


def _require_aim(command: str, key: str) -> None:
    places = places_in(command)
    if key == "scale" and "count" not in places:
        raise ValueError("scale says no number; put {count} into it")
    if key != "scale" and not (places & {"process", "processes"} or {"type", "n"} <= places):
        raise ValueError(f"{key} names no process; put {{process}} or {{processes}} into it")
    if {"processes"} < places & {"processes", "process", "n"}:
        raise ValueError(f"{key} has {{processes}} beside {{process}} or {{n}}; use one of them")
