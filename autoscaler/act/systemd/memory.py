"""Find how much memory new processes can still have, host by host."""

from __future__ import annotations

from collections.abc import Iterable

from autoscaler.act.systemd.host import Host
from autoscaler.act.systemd.instance import Instance
from autoscaler.act.systemd.type_record import TypeRecord

_TO_COME = ("starting", "failed")  # a process that has yet to take its memory
_SEEN_SECONDS = 15.0  # what is measured, every 10 s, tells of a process that has been active for so long


def spare_memory(host: Host, states: Iterable[TypeRecord], now: float) -> int | None:
    """Return the bytes new processes can have on a host: what is free and not promised, within its configured limit; None: not known."""
    held = [(state.process_type.memory_bytes or 0, instance) for state in states for instance in state.list_of(host)]
    spare = []
    if host.free_bytes is not None:
        spare.append(host.free_bytes - sum(need for need, instance in held if _is_to_come(instance, now)))
    if host.memory_bytes is not None:
        spare.append(host.memory_bytes - sum(need for need, instance in held if instance.state is not None))
    return max(0, min(spare)) if spare else None


def _is_to_come(instance: Instance, now: float) -> bool:
    """Tell whether the memory that a process takes is not yet missing from what was measured."""
    is_young = instance.active_at is None or now - instance.active_at < _SEEN_SECONDS
    return instance.is_wanted and (instance.state in _TO_COME or (instance.state == "running" and is_young))


def room_for(host: Host, process_type_bytes: int | None) -> int | None:
    """Return for how many more processes of so many bytes a host has memory; None: no limit is known."""
    if process_type_bytes is None or host.spare_bytes is None:
        return None
    return host.spare_bytes // process_type_bytes


def free_memory(state: TypeRecord) -> int | None:
    """Return the bytes that new processes of a type can have on all hosts, in whole processes; None when a host does not tell."""
    need = state.process_type.memory_bytes
    rooms = [room_for(host, need) for host in state.hosts if host.takes_more and not host.why_not(state.units)]
    known = [room for room in rooms if room is not None]
    if need is None or not known or len(known) < len(rooms):
        return None
    return need * sum(known)
