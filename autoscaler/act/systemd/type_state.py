"""One process type as systemd runs it, shown as a value."""

from __future__ import annotations

from dataclasses import dataclass

from autoscaler.act.systemd.instance import Instance
from autoscaler.act.systemd.memory import free_memory
from autoscaler.act.systemd.notes import list_notes
from autoscaler.act.systemd.type_record import TypeRecord
from autoscaler.model import Address, Counts, Process, TypeFormation


@dataclass(slots=True, eq=False, kw_only=True)
class TypeState(TypeRecord):
    """What is known of a process type, and how it looks to the controller."""

    def describe(self) -> TypeFormation:
        """Return what runs of this type as a value."""
        processes = [process for key in sorted(self.instances) if (process := self._describe_one(self.instances[key]))]
        running = sum(process.state == "running" for process in processes)
        return TypeFormation(
            counts=self._count([process.state for process in processes]),
            processes=tuple(processes),
            startup_seconds=self.history.startup_seconds,
            is_crash_looping=self.history.is_crash_looping(running),
            starts=self.starts,
            drains_killed=self.drains_killed,
            notes=tuple(list_notes(self, running)),
            obstacle=self.obstacle,
            free_memory_bytes=free_memory(self),
        )

    def _describe_one(self, instance: Instance) -> Process | None:
        state = instance.state
        if state is None:
            return None
        port = None if self.metrics_port is None else self.metrics_port + instance.number - 1
        metrics = Address(instance.host.address, port) if port else None
        return Process(self.name_of(instance), state, metrics, instance.host.name or None)

    def _count(self, states: list[str]) -> Counts:
        return Counts(
            desired=self.desired,
            running=states.count("running"),
            starting=states.count("starting") + self.waiting,
            draining=states.count("draining"),
            failed=states.count("failed"),
            unknown=states.count("unknown"),
        )
