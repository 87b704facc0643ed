"""Complete what the roster published with what only the machine can tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from autoscaler.act.free_memory import with_free_memory
from autoscaler.act.local.listening import Listeners
from autoscaler.act.local.slots import TypeState
from autoscaler.act.roster import Roster
from autoscaler.model import TypeFormation


def look(roster: Roster[TypeState], listeners: Listeners) -> Mapping[str, TypeFormation]:
    """Return what runs of each type, whether a connection waits for its first process, and the memory that is free; safe from any thread."""
    formations, process_types = roster.read(), roster.list_process_types()
    empty = [each for each in process_types if each.name in formations and formations[each.name].counts.running == 0]
    called = {each.name: replace(formations[each.name], is_called=True) for each in empty if listeners.has_caller(each)}
    return with_free_memory({**formations, **called}, process_types)
