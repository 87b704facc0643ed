"""Bring the local formation to its desired counts, in one thread that alone starts and reaps processes."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from autoscaler.act.local.callers import Callers
from autoscaler.act.local.desk import Desk
from autoscaler.act.local.ground import Ground
from autoscaler.act.local.outlook import look
from autoscaler.act.local.slots import Run, Slot, TypeState
from autoscaler.act.local.starter import Starter, describe_end
from autoscaler.act.local.undertaker import Undertaker, Witness
from autoscaler.act.ports import Ports, place_types
from autoscaler.act.starts import MEMORY_SECONDS, Start
from autoscaler.model import ProcessType

_SWEEP_SECONDS = 0.02
_MOST_SWEEPS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a connect or a reload brings: the types with their commands, and what was opened for them."""

    process_types: tuple[ProcessType, ...]
    folder: Path
    ports: Ports
    width: int  # of the names before the output
    lock: socket.socket | None = None  # of a formation that was not held before


class Supervisor:
    """Everything here runs in the loop's thread, but for the constructor."""

    def __init__(self, ground: Ground, plan: Plan) -> None:
        """Take over the plan; nothing is started before the first ``reconcile``."""
        self._ground = ground
        self._starter = Starter(ground, self._started)
        self._undertaker = Undertaker(ground, Witness(self._starter.leader_ended, self._run_ended))
        self._desk = Desk(ground.loop, lambda: look(ground.roster, ground.listeners))
        self._callers = Callers(ground)
        self._is_closing = False
        self._sweeps = 0
        self.replace(plan)
        self._publish()

    def run(self) -> None:
        """Serve until closed; whatever happens, no process is left."""
        try:
            self._ground.loop.run(self._after_round)
        finally:
            self._undertaker.end_all_at_once()
            self._release()

    def reconcile(self, type_states: list[TypeState]) -> None:
        """Start and stop processes until each type has as many as desired."""
        ending: list[Run] = []
        for state in type_states:
            wanted = 0 if self._is_closing else state.wanted
            active = state.list_active()
            self._add(state, max(0, wanted - len(active)))
            for slot in reversed(active[wanted:]):
                ending += self._retire(slot)
            self._ground.roster.touch(state)
        self._undertaker.stop(ending)

    def _add(self, state: TypeState, count: int) -> None:
        was_waiting = state.waiting > 0
        for slot in state.add_slots(count):
            self._starter.begin(slot)
        if state.waiting and not was_waiting:
            self._ground.happenings.tell(state.describe_waiting())

    def replace(self, plan: Plan) -> None:
        """Take over new, changed and removed types; running processes stay as they were started."""
        self._ground.folder, self._ground.ports, self._ground.outputs.width = plan.folder, plan.ports, plan.width
        if plan.lock is not None:
            self._desk.open(plan.lock)
        kept = {process_type.name for process_type in plan.process_types}
        indices = place_types(plan.ports, plan.process_types, {state.name: state.index for state in self._ground.roster.types.values()})
        for process_type in plan.process_types:
            self._replace_type(indices[process_type.name], process_type)
        for state in [state for state in self._ground.roster.types.values() if state.name not in kept]:
            self._ground.roster.remove(state)
        self.reconcile(list(self._ground.roster.types.values()))
        self._drop_removed()
        self._close_unused_listeners()

    def reload(self, plan: Plan, is_done: Event) -> None:
        """Take over a plan and publish it before the caller goes on."""
        self.replace(plan)
        self._publish()
        is_done.set()

    def wake_with(self, call: Callable[[], None]) -> None:
        """Call this whenever a connection comes to a type that has no process."""
        self._callers.wake_with(call)

    def close(self) -> None:
        """Stop every process by its own timeout, then end."""
        self._is_closing = True
        self._starter.close()
        self._callers.close()
        self.reconcile(list(self._ground.roster.types.values()))
        self._end_when_empty()

    def hurry(self) -> None:
        """Kill every process now."""
        for run in list(self._undertaker.runs.values()):
            self._undertaker.kill(run)

    def _after_round(self) -> None:
        self._publish()  # a process is shown before it can do anything
        self._starter.run_some()
        self._undertaker.settle()
        self._publish()

    def _publish(self) -> None:
        if self._ground.roster.publish():
            self._callers.look()

    def _started(self, run: Run) -> None:
        self._undertaker.take(run)

    def _retire(self, slot: Slot) -> list[Run]:
        """Take a slot out of service; return its run when there is one to end."""
        if slot.restart is not None:
            slot.restart.cancel()
        slot.state = "draining"
        if slot.run is None:
            self._free(slot)
            return []
        return [slot.run]

    def _free(self, slot: Slot) -> None:
        """Give the number free; what failed under it counts for a while."""
        state = slot.type_state
        del state.slots[slot.number]
        failed = state.history.retire(slot.number, slot.failures, slot.failed_at)
        if failed:
            self._ground.loop.at(self._ground.loop.now() + MEMORY_SECONDS, lambda: self._forget(state, failed))
        self._ground.roster.touch(state)

    def _forget(self, state: TypeState, starts: list[Start]) -> None:
        state.history.forget(starts)
        if self._ground.roster.types.get(state.name) is state:
            self._ground.roster.touch(state)

    def _run_ended(self, run: Run) -> None:
        slot = run.slot
        slot.run = None
        self._starter.run_ended(run)
        if slot.is_retired:
            self._free(slot)
            self.reconcile([slot.type_state])
            self._drop_removed()
            self._end_when_empty()
        else:
            self._starter.restart(slot, describe_end(run))
        if run.process_type.socket == "shared":
            self._close_unused_listeners()

    def _replace_type(self, index: int, process_type: ProcessType) -> None:
        types = self._ground.roster.types
        room = self._ground.ports.room(process_type, index)
        state = types.get(process_type.name)
        if state is None:
            types[process_type.name] = TypeState(process_type=process_type, index=index, room=room)
            return
        self._change(state, process_type)
        state.process_type, state.index, state.room = process_type, index, room
        state.is_removed = False

    def _change(self, state: TypeState, new: ProcessType) -> None:
        """Tell what changed; end the processes that would go on where nobody looks for them, for new ones to take their places."""
        old = state.process_type
        keys = ("command", "environment", "stop_timeout_seconds", "socket", "listen", "ready")
        changed = [key.removesuffix("_seconds") for key in keys if getattr(old, key) != getattr(new, key)]
        if {"command", "environment"}.intersection(changed):
            state.history.forgive()
        active = state.list_active()
        if {"socket", "listen"}.intersection(changed) and active:
            self._undertaker.stop([run for slot in active for run in self._retire(slot)])
            self._ground.happenings.tell(f"{state.name}: {', '.join(changed)} changed; its processes are ended, and new ones started")
        elif changed and state.slots:
            self._ground.happenings.tell(f"{state.name}: the new {', '.join(changed)} holds for processes started from now on")

    def _close_unused_listeners(self) -> None:
        """Keep what the types share now, and what older processes still have: their address may be asked for again."""
        types = [state.process_type for state in self._ground.roster.types.values()]
        for listener in self._ground.listeners.take_unused(types + [run.process_type for run in self._undertaker.runs.values()]):
            self._callers.drop(listener)
            listener.close()

    def _drop_removed(self) -> None:
        types = self._ground.roster.types
        for state in [state for state in types.values() if state.is_removed and not state.slots]:
            self._ground.roster.touch(state)
            del types[state.name]

    def _end_when_empty(self) -> None:
        if self._is_closing and self._sweeps == 0 and not any(state.slots for state in self._ground.roster.types.values()):
            self._sweep()

    def _sweep(self) -> None:
        """End only when no process of ours is left, wherever it went."""
        self._sweeps += 1
        if self._undertaker.find_strays() and self._sweeps < _MOST_SWEEPS:
            self._ground.loop.at(self._ground.loop.now() + _SWEEP_SECONDS, self._sweep)
        else:
            self._ground.loop.stop()

    def _release(self) -> None:
        """Close what belongs to the formation as a whole."""
        self._callers.close()
        self._ground.listeners.close()
        self._starter.close()
        self._ground.outputs.close()
        self._desk.close()
        self._ground.loop.close()
