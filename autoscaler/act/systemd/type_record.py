"""Hold what is known of one process type as systemd runs it, on all hosts together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from autoscaler.act.starts import StartHistory
from autoscaler.act.systemd.contest import Contest
from autoscaler.act.systemd.host import Host
from autoscaler.act.systemd.instance import Instance, is_over
from autoscaler.act.systemd.names import TypeUnits
from autoscaler.model import ProcessType

_NUMBERS_OF_A_HOST = 1_000_000  # keeps the numbers of different hosts apart in the history


@dataclass(slots=True, eq=False, kw_only=True)
class TypeRecord:
    """A process type, its units on every host, and what is known of their starts."""

    process_type: ProcessType
    units: TypeUnits
    hosts: tuple[Host, ...]
    metrics_port: int | None = None  # of process 1; None: not known
    desired: int = 0
    waiting: int = 0  # more that are desired, and cannot be started now
    is_removed: bool = False
    starts: int = 0
    drains_killed: int = 0
    instances: dict[tuple[str, int], Instance] = field(default_factory=dict)
    history: StartHistory = field(default_factory=StartHistory)
    contest: Contest = field(default_factory=Contest)
    hold: str | None = None  # why it is not scaled now
    loads: Mapping[str, float] = field(default_factory=dict)  # of the last change
    heard: set[str] = field(default_factory=set)  # the hosts whose units of this type were taken over
    most: int | None = None  # processes there are units for, as last worked out; None: no limit is known
    obstacle: str | None = None  # why none can be started on any host, as last worked out

    @property
    def name(self) -> str:
        """Return the process type's name."""
        return self.process_type.name

    @property
    def wanted(self) -> int:
        """Return how many processes it should have: what was asked for, and of a singleton never two."""
        return min(self.desired, 1) if self.process_type.is_singleton else self.desired

    def list_wanted(self) -> list[Instance]:
        """Return the instances that count among the desired processes."""
        return [instance for instance in self.instances.values() if instance.is_wanted]

    def list_of(self, host: Host) -> list[Instance]:
        """Return the instances on one host."""
        return [instance for instance in self.instances.values() if instance.host is host]

    def name_of(self, instance: Instance) -> str:
        """Return ``web.1``, or ``web.1@app2`` where there are several hosts."""
        at = f"@{instance.host.name}" if instance.host.name else ""
        return f"{self.name}.{instance.number}{at}"

    def history_number(self, instance: Instance) -> int:
        """Return the number of an instance in the history, which knows no hosts."""
        return instance.number + _NUMBERS_OF_A_HOST * self.hosts.index(instance.host)

    def free_numbers(self, host: Host) -> Iterator[int]:
        """Yield the numbers that can be started on a host, the lowest first."""
        if self.units.template is None:
            known: Iterable[int] = sorted(number for file in host.files if (number := self.units.number_of(file)) is not None)
        else:
            known = range(1, (self.units.room or _NUMBERS_OF_A_HOST - 1) + 1)
        return (number for number in known if (host.name, number) not in self.instances and host.has_file(self.units, number))

    def look_at_limits(self) -> None:
        """Work out what ``most`` and ``obstacle`` say now."""
        obstacles = self.obstacles()
        self.obstacle = "; ".join(obstacles) if obstacles and len(obstacles) == sum(host.is_up for host in self.hosts) else None
        is_limited = self.units.template is None or self.units.room is not None
        self.most = self._count_units() if is_limited and all(host.is_up for host in self.hosts) else None

    def obstacles(self) -> list[str]:
        """Say why no process can be started on a host, for each where none can."""
        return [why for host in self.hosts if host.is_up and (why := host.why_not(self.units))]

    def _count_units(self) -> int:
        held = [instance for instance in self.instances.values() if instance.is_wanted or not is_over(instance.unit)]
        return len(held) + sum(sum(1 for _ in self.free_numbers(host)) for host in self.hosts if not host.why_not(self.units))
