"""What the parts of the systemd backend stand on together; it belongs to the loop's thread."""

from __future__ import annotations

from dataclasses import dataclass, field

from autoscaler.act.event_loop import EventLoop
from autoscaler.act.happenings import Happenings
from autoscaler.act.roster import Roster
from autoscaler.act.systemd.host import Host
from autoscaler.act.systemd.instance import Instance
from autoscaler.act.systemd.type_state import TypeState
from autoscaler.act.systemd.values import Unit


@dataclass(slots=True, eq=False, kw_only=True)
class Ground:
    """The loop, the types and the hosts."""

    loop: EventLoop
    roster: Roster[TypeState]
    happenings: Happenings
    hosts: tuple[Host, ...]
    may_act: bool = True  # no unit is touched otherwise
    persists: bool = False  # what is started is enabled too
    host_lost_seconds: float = 300.0
    _unsaid: list[str] = field(default_factory=list)

    def states(self) -> list[TypeState]:
        """Return the process types as they are configured now."""
        return [state for state in self.roster.types.values() if not state.is_removed]

    def find(self, host: Host, unit: Unit) -> tuple[TypeState, Instance] | None:
        """Return the instance that a unit is, a new one where it was not known; None for a unit of no type."""
        for state in self.states():
            number = state.units.number_of(unit.name)
            if number is not None:
                instance = state.instances.get((host.name, number))
                if instance is None:
                    instance = state.instances[host.name, number] = Instance(host=host, number=number, unit=Unit(unit.name))
                return state, instance
        return None

    def tell(self, sentence: str) -> None:
        """Have a sentence told with the next observation that shows what it is about."""
        self._unsaid.append(sentence)

    def say(self) -> None:
        """Tell what was to be told: what it is about is published."""
        for sentence in self._unsaid:
            self.happenings.tell(sentence)
        self._unsaid.clear()
