"""Bring every process type to its desired count, across all hosts, in one thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from threading import Event

from autoscaler.act.free_memory import MemoryFiles, read_free_memory
from autoscaler.act.systemd.ground import Ground
from autoscaler.act.systemd.hands import Hands
from autoscaler.act.systemd.host import Host
from autoscaler.act.systemd.host_watcher import HostWatcher
from autoscaler.act.systemd.instance import Instance
from autoscaler.act.systemd.link import Link
from autoscaler.act.systemd.memory import room_for, spare_memory
from autoscaler.act.systemd.placement import Candidate, Place, choose_leavers, spread
from autoscaler.act.systemd.reach import Reach
from autoscaler.act.systemd.runs import Runs
from autoscaler.act.systemd.type_state import TypeState
from autoscaler.act.systemd.values import Unit
from autoscaler.model import Change

_RETURN_SECONDS = 30.0  # within this all hosts are connected again after a fault here: the longest pause, and ssh's patience
_MEMORY_SECONDS = 5.0  # between two looks at this machine's free memory


class Engine:
    """Everything here runs in the loop's thread, but for the constructor and ``first_heard``."""

    def __init__(self, ground: Ground, reach_of: Callable[[Host], Reach], globs: tuple[str, ...]) -> None:
        """Prepare a link to every host; nothing is opened before ``run``."""
        self._ground = ground
        self._hands = Hands(ground, Runs(ground))
        self._silent = {host.name for host in ground.hosts}  # whose first word is awaited
        self._is_deaf = False  # no host answers: the fault is here, and the hosts are not lost before one answers again and another does not
        self.first_heard = Event()  # every host has told what it has of these types, or could not be reached: nothing is changed before
        for host in ground.hosts:
            watcher = HostWatcher(ground, self._hands, host, heard=partial(self._heard, host), lost=self._lost)
            host.links.append(Link(ground.loop, reach_of(host), globs, watcher))

    def run(self) -> None:
        """Serve until the loop is stopped; every link is closed then, and every unit stays as it is."""
        try:
            for host in self._ground.hosts:
                host.link.open()
            self._look_at_memory()
            self._ground.loop.run(self._after_round)
        finally:
            for host in self._ground.hosts:
                host.link.close()
            self._ground.loop.close()

    def scale(self, state: TypeState, change: Change) -> None:
        """Take in what a type was told; the roster knows the new count already."""
        state.loads = change.loads
        state.contest.act()
        self._ground.roster.touch(state)

    def replace(self, states: Sequence[TypeState], globs: tuple[str, ...]) -> None:
        """Take over other types; the units of one that is gone go on, and nobody here changes them any more."""
        types = self._ground.roster.types
        kept = {state.name for state in states}
        for gone in [state for state in types.values() if state.name not in kept]:
            self._let_go(gone)
            self._ground.tell(f"{gone.name} is not in the configuration any more; its units go on as they are")
        self._ground.roster.publish()
        for name in [state.name for state in types.values() if state.is_removed]:
            del types[name]
        for new in states:
            self._replace_type(new)
        self._silent = {host.name for host in self._ground.hosts if host.is_up}
        if self._silent:
            self.first_heard.clear()
        for host in self._ground.hosts:
            host.link.look_for(globs)

    def _replace_type(self, new: TypeState) -> None:
        types = self._ground.roster.types
        state = types.setdefault(new.name, new)
        if state.units != new.units:
            self._let_go(state)
            types[new.name] = new
        state.process_type, state.metrics_port = new.process_type, new.metrics_port
        self._ground.roster.touch(types[new.name])

    def _let_go(self, state: TypeState) -> None:
        """Have nothing more done for a type, and nothing told of it."""
        for instance in state.instances.values():
            instance.cancel_timers()
            instance.asked = ""
            instance.call += 1
        self._ground.roster.remove(state)
        self._ground.roster.touch(state)

    def _after_round(self) -> None:
        if self._ground.roster.list_touched():
            self._look_at_room()
            touched = self._ground.roster.list_touched()
            if self._ground.may_act and not self._silent:
                for state in touched:
                    self._reconcile(state)
            for state in touched:
                state.look_at_limits()
            self._ground.roster.publish()
        self._ground.say()
        if not self._silent:
            self.first_heard.set()

    def _look_at_room(self) -> None:
        """Work out the memory that is left, which another type may wait for."""
        for host in self._ground.hosts:
            host.spare_bytes = spare_memory(host, self._ground.states(), self._ground.loop.now())
        for state in self._ground.states():
            if state.waiting:
                self._ground.roster.touch(state)

    def _reconcile(self, state: TypeState) -> None:
        """Start and stop processes until the type has as many as desired."""
        if state.is_removed:
            return
        wanted, target = state.list_wanted(), state.wanted  # which another thread may set meanwhile
        state.waiting = 0
        if len(wanted) < target:
            self._add(state, target - len(wanted))
        elif len(wanted) > target:
            self._remove(state, wanted, len(wanted) - target)

    def _add(self, state: TypeState, count: int) -> None:
        hosts = {host.name: host for host in self._ground.hosts}
        chosen = spread(self._list_places(state), count) if self._may_add(state) else []
        for name in chosen:
            host = hosts[name]
            number = next(state.free_numbers(host))
            instance = Instance(host=host, number=number, unit=Unit(state.units.unit_of(number)))
            state.instances[name, number] = instance
            self._hands.start(state, instance, state.contest.action)
        state.waiting = count - len(chosen)
        self._look_at_room()

    def _may_add(self, state: TypeState) -> bool:
        """Refuse to start a singleton while another may run: one that drains, or on a host that was not heard of."""
        if not state.process_type.is_singleton:
            return True
        is_held = any(instance.state is not None or instance.was_moved for instance in state.instances.values())
        return not is_held and all(host.is_up for host in state.hosts)

    def _remove(self, state: TypeState, wanted: list[Instance], count: int) -> None:
        candidates = {(one.host.name, one.number): self._candidate(state, one) for one in wanted}
        for leaver in choose_leavers(list(candidates.values()), self._list_places(state), count):
            instance = state.instances[leaver.host, leaver.number]
            if instance.host.is_up:
                self._hands.stop(state, instance, state.contest.action)
            else:
                self._hands.stop_later(state, instance)

    def _candidate(self, state: TypeState, instance: Instance) -> Candidate:
        host, name = instance.host, state.name_of(instance)
        return Candidate(host.name, instance.number, host.takes_more, instance.state == "failed", state.loads.get(name))

    def _list_places(self, state: TypeState) -> list[Place]:
        return [self._place(state, host) for host in self._ground.hosts if host.takes_more and not host.why_not(state.units)]

    def _place(self, state: TypeState, host: Host) -> Place:
        of_type = sum(one.is_wanted for one in state.list_of(host))
        in_all = sum(one.is_wanted for each in self._ground.states() for one in each.list_of(host))
        rooms = [room_for(host, state.process_type.memory_bytes)]
        if state.units.template is None or state.units.room is not None:
            rooms.append(sum(1 for _ in state.free_numbers(host)))
        known = [room for room in rooms if room is not None]
        return Place(host.name, of_type, in_all, host.weight, min(known) if known else None)

    def _heard(self, host: Host) -> None:
        self._silent.discard(host.name)
        if self._is_deaf and host.is_up:
            self._is_deaf = False
            for other in self._ground.hosts:
                if other.lost_at is not None:
                    other.lost_at = self._ground.loop.now()  # until now the fault may have been here
                    self._await(other, max(self._ground.host_lost_seconds, _RETURN_SECONDS))

    def _lost(self, host: Host) -> None:
        self._is_deaf = self._is_deaf or not any(each.is_up for each in self._ground.hosts)
        if len(self._ground.hosts) > 1:
            self._await(host, self._ground.host_lost_seconds)

    def _await(self, host: Host, seconds: float) -> None:
        """Have a lost host replaced, unless it answers within the seconds."""
        lost_at = host.lost_at
        if host.has_been_up:
            self._ground.loop.at(self._ground.loop.now() + seconds, lambda: self._move(host) if host.lost_at == lost_at else None)

    def _move(self, host: Host) -> None:
        """Have what a lost host had replaced elsewhere; a singleton is not, since it may still run."""
        if not self._ground.may_act or self._is_deaf:
            return
        moved = 0
        for state in self._ground.states():
            for instance in state.list_of(host) if not state.process_type.is_singleton else []:
                moved += instance.is_wanted
                instance.was_moved = instance.was_moved or instance.is_wanted or instance.asked == "stop"
                if instance.is_wanted:
                    self._hands.give_up(state, instance)
            self._ground.roster.touch(state)
        if moved:
            self._ground.tell(f"{host.place} has not answered for {self._ground.host_lost_seconds:g} s; its {moved} processes are replaced elsewhere")

    def _look_at_memory(self) -> None:
        for host in self._ground.hosts:
            if not host.name and any(state.process_type.memory_bytes is not None for state in self._ground.states()):
                host.free_bytes = read_free_memory(MemoryFiles())
                for state in self._ground.states():
                    self._ground.roster.touch(state)
        self._ground.loop.at(self._ground.loop.now() + _MEMORY_SECONDS, self._look_at_memory)
