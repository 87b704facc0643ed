"""Say what an operator should know of a process type now."""

from __future__ import annotations

from collections.abc import Iterator

from autoscaler.act.systemd.instance import Instance, is_over
from autoscaler.act.systemd.type_record import TypeRecord

_MOST_NAMES = 5


def list_notes(state: TypeRecord, running: int) -> Iterator[str]:
    """Yield the sentences, the most urgent first."""
    if state.hold:
        yield state.hold
    yield from state.obstacles()
    yield from _notes_on_hosts(state)
    yield from _notes_on_masks(state)
    yield from _notes_on_singleton(state)
    yield from dict.fromkeys(instance.note for instance in state.instances.values() if instance.note)
    yield from _notes_on_instances(state)
    if state.waiting:
        yield describe_waiting(state)
    if state.history.is_crash_looping(running):
        failed, counted = state.history.count_failures(running)
        yield f"{state.name} is crash looping: {failed} of its last {counted} starts failed; its journal says why"


def describe_waiting(state: TypeRecord) -> str:
    """Say why there are fewer processes than desired."""
    if state.process_type.is_singleton:
        unheard = [host.place for host in state.hosts if not host.is_up]
        until = f"it is known that none runs on {', '.join(unheard)}" if unheard else "the one that drains has ended"
        return f"{state.name} is a singleton: its next process starts when {until}"
    return f"{state.name}: {state.waiting} more cannot be started now: no host that answers has a free unit and memory for them"


def _notes_on_hosts(state: TypeRecord) -> Iterator[str]:
    for host in state.hosts:
        if not host.is_up and host.lost_cause:
            yield f"{host.place} does not answer: {host.lost_cause}"
        elif host.is_going_down:
            yield f"{host.place} is shutting down"


def _notes_on_masks(state: TypeRecord) -> Iterator[str]:
    for host in state.hosts:
        masked = sorted(file for file in host.files if host.is_masked(file) and state.units.number_of(file) is not None)
        if masked:
            yield f"{_shorten(masked)} {'is' if len(masked) == 1 else 'are'} masked on {host.place} and passed over"


def _notes_on_singleton(state: TypeRecord) -> Iterator[str]:
    for instance in state.list_wanted() if state.process_type.is_singleton else []:
        place = instance.host.place
        if not instance.host.is_up:
            yield f"{state.name} is a singleton that may still run on {place}, so it starts nowhere else; if {place} is gone, take it out of hosts"


def _notes_on_instances(state: TypeRecord) -> Iterator[str]:
    instances = list(state.instances.values())
    left_alone = [one for one in instances if one.is_left_alone and is_over(one.unit)]
    given_up = [one for one in instances if one.is_wanted and one.unit.active_state == "failed"]
    ended = [
        one
        for one in instances
        if one.is_wanted and one.has_started and not one.asked and one.unit.active_state == "inactive" and not one.note and one.host.takes_more
    ]
    if left_alone:
        yield f"{_names(state, left_alone)} stopped by somebody else: left alone until somebody starts it again"
    if given_up:
        unit = given_up[0].unit
        yield f"{_names(state, given_up)} failed ({unit.result}) and systemd gave up; when mended: systemctl restart {unit.name}"
    if ended and state.desired:
        yield f"{_names(state, ended)} ended, and the unit does not start it again: set Restart=always in it, or systemctl start {ended[0].unit.name}"


def _names(state: TypeRecord, instances: list[Instance]) -> str:
    names = [state.name_of(instance) for instance in sorted(instances, key=lambda one: (one.host.name, one.number))]
    shown = _shorten(names)
    return f"{shown} {'was' if len(names) == 1 else 'were'}" if instances[0].is_left_alone else shown


def _shorten(names: list[str]) -> str:
    return ", ".join(names[:_MOST_NAMES]) + (f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else "")
