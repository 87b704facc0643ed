"""Follow the units of one host: what was asked for here, what crashed, and what somebody else did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from autoscaler.act.systemd.ground import Ground
from autoscaler.act.systemd.hands import Hands
from autoscaler.act.systemd.host import Host
from autoscaler.act.systemd.instance import Instance, is_on, is_over
from autoscaler.act.systemd.type_state import TypeState
from autoscaler.act.systemd.values import Inventory, Unit

_JUST_SECONDS = 1.0  # systemd tells of a job's end together with the end of its unit
_SHUTDOWN_SECONDS = 300.0  # a host that still answers after this long does not shut down


class HostWatcher:
    """Takes in what the link of one host tells."""

    def __init__(self, ground: Ground, hands: Hands, host: Host, *, heard: Callable[[], None], lost: Callable[[Host], None]) -> None:
        """Call ``heard`` when it is first known whether the host answers, and ``lost`` whenever it no longer does."""
        self._ground = ground
        self._hands = hands
        self._runs = hands.runs
        self._host = host
        self._heard = heard
        self._lost = lost

    def up(self, inventory: Inventory) -> None:
        """Take in everything: at first, after a loss, or when something may have been missed."""
        host = self._host
        was_lost, has_booted = host.lost_at is not None, bool(host.boot) and host.boot != inventory.boot
        host.files, host.boot, host.has_been_up, host.is_up, host.lost_at, host.lost_cause = inventory.files, inventory.boot, True, True, None, ""
        is_called_off = self._ground.loop.now() - host.going_down_at > _SHUTDOWN_SECONDS
        host.is_going_down = host.is_going_down and not was_lost and not has_booted and not is_called_off
        if has_booted:
            self._forget_runs()
        desired = self._count_desired()
        self._compare(inventory, may_have_missed=was_lost and not has_booted)
        if was_lost:
            self._tell_back(self._count_desired() - desired)
        self._take_new(inventory)
        self._touch_all()
        self._heard()

    def changed(self, unit: Unit) -> None:
        """Take in one unit that has changed."""
        found = self._ground.find(self._host, unit)
        if found is not None:
            self._change(*found, unit)

    def job_ended(self, job: str, unit: str, result: str) -> None:
        """Take in the end of a job; one that nobody here asked for and that ended a unit is somebody's stop."""
        found = self._ground.find(self._host, Unit(unit))
        if found is None:
            return
        state, instance = found
        if instance.asked and job == instance.job:
            if result != "canceled":  # then the unit's job is already the one that took its place
                instance.unit = replace(instance.unit, job="")  # systemd tells so only afterwards
            self._hands.job_ended(state, instance, result)
        elif instance.is_wanted and result == "done" and self._has_just_ended(instance) and not instance.asked and not self._host.is_going_down:
            self._hands.stopped_by_other(state, instance)
        self._drop_if_idle(state, instance)

    def _has_just_ended(self, instance: Instance) -> bool:
        """Tell whether a job that ends now can have ended the unit: others leave it as it was, such as the restart of one that does not run."""
        return is_over(instance.unit) and self._ground.loop.now() - instance.ended_at < _JUST_SECONDS

    def going_down(self) -> None:
        """Take in that the host shuts down: what stops now is stopped by nobody's wish."""
        if not self._host.is_going_down:
            self._host.is_going_down, self._host.going_down_at = True, self._ground.loop.now()
            self._ground.tell(f"{self._host.place} is shutting down")
            self._touch_all()

    def lost(self, cause: str) -> None:
        """Take in that the host does not answer: what it has is unknown."""
        self._host.is_up, self._host.lost_at, self._host.lost_cause = False, self._ground.loop.now(), cause
        known = sum(len([one for one in state.list_of(self._host) if one.is_wanted]) for state in self._ground.states())
        processes = f"; its {known} processes are unknown" if known else ""
        self._ground.tell(f"{self._host.place} does not answer: {cause}{processes}")
        self._touch_all()
        self._lost(self._host)
        self._heard()

    def memory(self, free_bytes: int) -> None:
        """Take in how much memory the host has free."""
        if self._host.free_bytes != free_bytes:
            self._host.free_bytes = free_bytes
            self._touch_all()

    def _take_new(self, inventory: Inventory) -> None:
        """Take in units that were not known. Of a type that is new here, what runs is taken for what is desired: nothing else tells."""
        for unit in inventory.units.values():
            found = self._ground.find(self._host, unit)
            if found is None:
                continue
            if found[1].unit == unit:  # known, or loaded and never started
                self._drop_if_idle(*found)
            elif self._host.name in found[0].heard:
                self._change(*found, unit)
            else:
                self._take_over(*found, unit)
        for state in self._ground.states():
            state.heard.add(self._host.name)

    def _take_over(self, state: TypeState, instance: Instance, unit: Unit) -> None:
        instance.unit = unit
        is_stopping = unit.active_state == "deactivating" and unit.job == "stop"
        if (is_on(unit) or unit.active_state in ("failed", "deactivating")) and not is_stopping:
            self._ground.roster.shift_desired(state, 1)
            instance.is_wanted = instance.has_started = True
            self._runs.take_over(state, instance)
        self._drop_if_idle(state, instance)

    def _compare(self, inventory: Inventory, *, may_have_missed: bool) -> None:
        known = {instance.unit.name: (state, instance) for state in self._ground.states() for instance in state.list_of(self._host)}
        for name, (state, instance) in known.items():
            unit = inventory.units.get(name, Unit(name))
            if (
                may_have_missed
                and instance.is_wanted
                and instance.has_started
                and not is_over(instance.unit)
                and is_over(unit)
                and unit.active_state != "failed"
                and not instance.asked
            ):
                instance.unit, instance.ended_at = unit, self._ground.loop.now()
                self._hands.stopped_by_other(state, instance)
            elif unit != instance.unit or instance.was_moved or (is_on(unit) and not instance.is_wanted and not instance.asked):
                self._change(state, instance, unit)
            self._hands.settle_asked(state, instance)
            if instance.is_ready:
                self._runs.enable(state, instance)  # once more, where no answer came
            self._give_masked_up(state, instance)
            self._drop_if_idle(state, instance)

    def _forget_runs(self) -> None:
        """Take in that the host was started anew: nothing of what was asked for, and nothing that ran, is there any more."""
        for state in self._ground.states():
            for instance in state.list_of(self._host):
                instance.unit, instance.asked, instance.job = Unit(instance.unit.name), "", ""
                if instance.is_wanted:
                    self._hands.give_up(state, instance)
                    instance.was_moved = True  # until it is seen running: then it counts again
                    self._ground.roster.touch(state)

    def _give_masked_up(self, state: TypeState, instance: Instance) -> None:
        if instance.is_wanted and is_over(instance.unit) and self._host.is_masked(instance.unit.name):
            self._ground.tell(f"{state.name_of(instance)} is masked on {self._host.place}; another number takes its place")
            self._hands.give_up(state, instance)

    def _change(self, state: TypeState, instance: Instance, unit: Unit) -> None:
        before, instance.unit = instance.unit, unit
        if is_over(unit) and not is_over(before):
            instance.ended_at = self._ground.loop.now()
        if instance.is_wanted:
            self._runs.follow(state, instance, before)
        elif is_on(unit) and instance.asked != "stop":
            self._hands.adopt(state, instance)
        self._give_masked_up(state, instance)
        self._drop_if_idle(state, instance)
        self._ground.roster.touch(state)

    def _drop_if_idle(self, state: TypeState, instance: Instance) -> None:
        if not instance.is_wanted and not instance.asked and is_over(instance.unit):
            self._hands.drop(state, instance)

    def _tell_back(self, surplus: int) -> None:
        more = f"; desired rises by {surplus} for what still runs there" if surplus > 0 else ""
        self._ground.tell(f"{self._host.place} answers again{more}")

    def _count_desired(self) -> int:
        return sum(state.desired for state in self._ground.states())

    def _touch_all(self) -> None:
        for state in self._ground.states():
            self._ground.roster.touch(state)
