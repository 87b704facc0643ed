"""Follow the runs of a unit: when it began, when it was ready, and whether its start failed."""

from __future__ import annotations

from functools import partial

from autoscaler.act.starts import SETTLED_SECONDS, Start, start_timeout
from autoscaler.act.systemd.ground import Ground
from autoscaler.act.systemd.instance import RUNNING, UNKNOWN_RESTARTS, Instance, is_broken
from autoscaler.act.systemd.type_state import TypeState
from autoscaler.act.systemd.values import Answer, Unit, is_unclear

_MOST_SEEDED = 5  # failed starts that a crash loop met at the start of the controller counts for


class Runs:
    """Keeps the history of starts, of wanted instances only."""

    def __init__(self, ground: Ground) -> None:
        """Take the ground to stand on."""
        self._ground = ground

    def begin(self, state: TypeState, instance: Instance) -> None:
        """Take in that a start begins, by whomever."""
        instance.start = state.history.begin(state.history_number(instance))
        instance.active_at, instance.is_active, instance.is_ready, instance.is_late = None, False, False, False
        state.starts += 1

    def await_ready(self, state: TypeState, instance: Instance) -> None:
        """Have the start of an instance failed when it is not ready in time."""
        due = self._ground.loop.now() + start_timeout(state.process_type, state.history.startup_seconds)
        instance.timers.append(self._ground.loop.at(due, partial(self._is_due, state, instance, instance.start)))

    def take_up(self, state: TypeState, instance: Instance, *, is_new: bool) -> None:
        """Follow a unit that counts from now on; a new one was started just now."""
        if not is_new:
            self.take_over(state, instance)
            return
        instance.counted_restarts = instance.unit.restarts or UNKNOWN_RESTARTS
        instance.start = state.history.begin(state.history_number(instance))
        instance.is_active = False
        self.follow(state, instance, instance.unit)

    def take_over(self, state: TypeState, instance: Instance) -> None:
        """Begin the history of a unit that was there before: one that runs has long been ready, one that is broken has failed before."""
        unit = instance.unit
        instance.counted_restarts, instance.asked_at = unit.restarts or UNKNOWN_RESTARTS, None
        for _ in range(min(unit.restarts + 1, _MOST_SEEDED) if is_broken(unit) else 0):
            instance.start = state.history.begin(state.history_number(instance))
            self.fail(state, instance, unit.result)
        if not is_broken(unit):
            instance.start = state.history.begin(state.history_number(instance))
        if unit.active_state in RUNNING:
            instance.is_active = True
            instance.active_at = self._ground.loop.now() - max(SETTLED_SECONDS, state.process_type.startup_seconds or 0.0)
            self._look_ready(state, instance, instance.start)

    def follow(self, state: TypeState, instance: Instance, before: Unit) -> None:
        """Take in how the unit of a wanted instance is now, and was before."""
        unit = instance.unit
        instance.has_started = instance.has_started or unit.active_state in (*RUNNING, "activating", "failed")
        self._count_restarts(state, instance, before)
        if is_broken(unit) and not is_broken(before):
            self._end(state, instance)
        if unit.active_state not in RUNNING:
            instance.is_active = instance.is_ready = False
            return
        if instance.start is None or instance.start.has_failed:  # started again, and the count of restarts is still to come
            self.begin(state, instance)
            instance.counted_restarts += instance.counted_restarts != UNKNOWN_RESTARTS
        if not instance.is_active:
            self._become_active(state, instance, instance.start)

    def fail(self, state: TypeState, instance: Instance, why: str) -> None:
        """Take in that the present start of an instance failed; told at the first, second, fourth ... time in a row."""
        start, now = instance.start, self._ground.loop.now()
        instance.asked_at = None  # the time to a ready process that failed before says nothing
        if start is None or start.has_failed or instance.has_lived(now):
            return
        start.has_failed = True
        instance.failures, instance.failed_at = instance.failures + 1, now
        if instance.failures & (instance.failures - 1) == 0:
            times = "" if instance.failures == 1 else f" {instance.failures} times in a row"
            self._ground.tell(f"{state.name_of(instance)} failed{times}: {why}")

    def enable(self, state: TypeState, instance: Instance) -> None:
        """Have a reboot bring back what was started here, once; asked again where no answer came."""
        if instance.is_to_enable and instance.is_wanted:
            instance.is_to_enable = False
            instance.host.link.enable(instance.unit.name, partial(self._enabled, state, instance))

    def _enabled(self, state: TypeState, instance: Instance, answer: Answer) -> None:
        if is_unclear(answer):
            instance.is_to_enable = True
        elif answer.error:
            instance.note = f"{instance.unit.name} is not enabled, a reboot will not bring it back: {answer.sentence}"
            self._ground.roster.touch(state)

    def _count_restarts(self, state: TypeState, instance: Instance, before: Unit) -> None:
        """Have a start in the history for each restart, also for those that nobody saw.

        systemd counts anew when somebody starts the unit, and after a new connection the count is not known before the next restart.
        """
        if instance.unit.restarts < before.restarts:
            instance.counted_restarts = instance.unit.restarts or UNKNOWN_RESTARTS
        elif instance.counted_restarts == UNKNOWN_RESTARTS and instance.unit.restarts:
            is_as_before = is_broken(instance.unit) or instance.is_active  # systemd counts a restart when it comes, not the crash
            instance.counted_restarts = instance.unit.restarts - (not is_as_before)
        while UNKNOWN_RESTARTS < instance.counted_restarts < instance.unit.restarts:
            self._end(state, instance)
            self.begin(state, instance)
            instance.counted_restarts += 1

    def _end(self, state: TypeState, instance: Instance) -> None:
        self.fail(state, instance, instance.unit.result if instance.unit.result != "success" else "it ended")
        instance.is_active = instance.is_ready = False
        instance.cancel_timers()

    def _become_active(self, state: TypeState, instance: Instance, start: Start | None) -> None:
        now = self._ground.loop.now()
        instance.cancel_timers()
        instance.active_at, instance.is_active, instance.note = now, True, None
        takes = 0.0 if state.process_type.ready == "notify" else state.process_type.startup_seconds or 0.0
        if takes:
            instance.timers.append(self._ground.loop.at(now + takes, partial(self._look_ready, state, instance, start)))
        else:
            self._look_ready(state, instance, start)
        instance.timers.append(self._ground.loop.at(now + SETTLED_SECONDS, partial(self._settle, state, instance, start)))

    def _look_ready(self, state: TypeState, instance: Instance, start: Start | None) -> None:
        if start is None or instance.start is not start or not instance.is_active:
            return
        instance.is_ready, instance.is_late, start.is_ready = True, False, True
        if instance.asked_at is not None:
            state.history.add_startup(self._ground.loop.now() - instance.asked_at)
            instance.asked_at = None
        self.enable(state, instance)
        self._ground.roster.touch(state)

    def _settle(self, state: TypeState, instance: Instance, start: Start | None) -> None:
        if start is not None and instance.start is start and instance.is_active:
            state.history.settle(start)
            instance.failures = 0
            self._ground.roster.touch(state)

    def _is_due(self, state: TypeState, instance: Instance, start: Start | None) -> None:
        if instance.start is start and instance.state == "starting":
            instance.is_late = True
            self.fail(state, instance, "it is not ready in time")
            self._ground.roster.touch(state)
