"""Start and stop the unit of an instance, and see to what becomes of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

from autoscaler.act.starts import MEMORY_SECONDS, Start, restart_delay
from autoscaler.act.systemd.contest import REVERSAL_SECONDS
from autoscaler.act.systemd.ground import Ground
from autoscaler.act.systemd.instance import Instance, is_on, is_over
from autoscaler.act.systemd.runs import Runs
from autoscaler.act.systemd.type_state import TypeState
from autoscaler.act.systemd.values import Answer, is_unclear

_FORBIDDEN = ("org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired")
_MINUTE = 60.0
_NOTE_SECONDS = 60.0  # how long a refusal that is not met again is shown


class Hands:
    """Asks systemd; what was asked for is seen through to its end, by the answer, the job and the unit itself."""

    def __init__(self, ground: Ground, runs: Runs) -> None:
        """Take the ground to act on."""
        self._ground = ground
        self.runs = runs

    def start(self, state: TypeState, instance: Instance, action: int) -> None:
        """Have the unit of a wanted instance started."""
        now = self._ground.loop.now()
        instance.cancel_timers()
        instance.is_wanted, instance.has_started, instance.was_moved, instance.is_to_enable = True, False, False, self._ground.persists
        instance.action, instance.acted_at, instance.asked_at = action, now, now
        if instance.failures == 0:
            instance.failures = state.history.recall_failures(now)
        self.runs.begin(state, instance)
        self.runs.await_ready(state, instance)
        link, unit = instance.host.link, instance.unit.name
        if instance.unit.active_state == "failed":
            link.reset_failed(unit, lambda _: None)
        self._ask(state, instance, "start", link.start)

    def stop(self, state: TypeState, instance: Instance, action: int) -> None:
        """Have the unit of an instance stopped; it is not wanted any more."""
        instance.action, instance.acted_at = action, self._ground.loop.now()
        self.give_up(state, instance)
        self._stop(state, instance)

    def stop_later(self, state: TypeState, instance: Instance) -> None:
        """Have the unit of an instance stopped as soon as its host answers again."""
        self.give_up(state, instance)
        instance.asked, instance.job, instance.is_calling = "stop", "", False
        instance.call += 1

    def give_up(self, state: TypeState, instance: Instance) -> None:
        """Count an instance no more among the desired processes; what failed under its number counts for a while."""
        instance.is_wanted, instance.note = False, None
        instance.cancel_timers()
        failed = state.history.retire(state.history_number(instance), instance.failures, instance.failed_at)
        if failed:
            self._ground.loop.at(self._ground.loop.now() + MEMORY_SECONDS, lambda: self._forget(state, failed))
        instance.failures, instance.start = 0, None

    def drop(self, state: TypeState, instance: Instance) -> None:
        """Give a number free, unless somebody else stopped it."""
        if not instance.is_left_alone:
            state.instances.pop((instance.host.name, instance.number), None)
        self._ground.roster.touch(state)

    def settle_asked(self, state: TypeState, instance: Instance) -> None:
        """Judge by the unit alone what became of a request whose end nobody told: the connection broke, or systemd re-executed itself."""
        if not instance.asked or instance.is_calling or instance.unit.job:
            return
        asked, instance.asked, instance.job = instance.asked, "", ""
        if asked == "start" and instance.is_wanted and instance.unit.active_state == "inactive":
            self._ask(state, instance, "start", instance.host.link.start)
        elif asked == "stop" and not instance.is_wanted and is_over(instance.unit):
            self._stopped(state, instance)
        elif asked == "stop" and not instance.is_wanted and self._ground.may_act:
            instance.was_moved = False
            self._stop(state, instance)

    def job_ended(self, state: TypeState, instance: Instance, result: str) -> None:
        """Take in the end of a job that was asked for here."""
        asked, instance.asked, instance.job = instance.asked, "", ""
        if asked == "start":
            self._start_ended(state, instance, result)
        elif is_on(instance.unit):
            self.adopt(state, instance)
        elif is_over(instance.unit):
            self._stopped(state, instance)
        self._ground.roster.touch(state)

    def adopt(self, state: TypeState, instance: Instance) -> None:
        """Take in that a unit runs that was not wanted: one that was given up with its host takes its place again where that is free.

        Any other was started by somebody else, and is one more of the desired processes.
        """
        was_moved, has_place = instance.was_moved, len(state.list_wanted()) < state.wanted
        instance.is_wanted, instance.has_started, instance.is_left_alone, instance.was_moved = True, True, False, False
        self.runs.take_up(state, instance, is_new=not was_moved)
        if was_moved and has_place:
            return
        self._ground.roster.shift_desired(state, 1)
        if not was_moved:
            self._ground.tell(f"{state.name_of(instance)} was started by somebody else")
            self._note_undone(state, instance, "started")

    def stopped_by_other(self, state: TypeState, instance: Instance) -> None:
        """Take in that somebody else stopped a unit: it is one less of the desired processes, and left alone."""
        self._ground.roster.shift_desired(state, -1)
        self.give_up(state, instance)
        instance.is_left_alone, instance.asked, instance.job = True, "", ""
        self._ground.tell(f"{state.name_of(instance)} was stopped by somebody else; it is left alone until somebody starts it again")
        self._note_undone(state, instance, "stopped")
        self._ground.roster.touch(state)

    def _stop(self, state: TypeState, instance: Instance) -> None:
        if instance.unit.active_state == "failed" and not instance.asked:
            instance.host.link.reset_failed(instance.unit.name, lambda _: None)
            self.drop(state, instance)
        else:
            self._ask(state, instance, "stop", instance.host.link.stop)
        if self._ground.persists:
            instance.host.link.disable(instance.unit.name, lambda _: None)

    def _ask(self, state: TypeState, instance: Instance, what: str, call: Callable[[str, Callable[[Answer], None]], None]) -> None:
        instance.asked = "start" if what == "start" else "stop"
        instance.job, instance.is_calling = "", True
        instance.call += 1
        call(instance.unit.name, partial(self._answered, state, instance, instance.call))
        self._ground.roster.touch(state)

    def _answered(self, state: TypeState, instance: Instance, call: int, answer: Answer) -> None:
        if call != instance.call:
            return
        instance.is_calling, instance.job = False, answer.job
        if not answer.error:
            instance.note = None
        elif not is_unclear(answer):
            asked, instance.asked = instance.asked, ""
            if asked == "start" and instance.is_wanted:
                self._start_failed(state, instance, _explain(instance, answer))
            elif asked == "stop":
                self._stop_failed(state, instance, answer)
        self._ground.roster.touch(state)

    def _start_ended(self, state: TypeState, instance: Instance, result: str) -> None:
        if not instance.is_wanted:
            return
        unit = instance.unit
        if result == "canceled" and not is_on(unit):
            self.stopped_by_other(state, instance)
        elif unit.active_state == "inactive" and not is_on(unit) and (result != "done" or not instance.has_started):
            self._start_failed(state, instance, f"systemd could not start {unit.name} on {instance.host.place}: {_RESULTS.get(result, result)}")

    def _start_failed(self, state: TypeState, instance: Instance, sentence: str) -> None:
        self.runs.fail(state, instance, sentence)
        instance.note = sentence
        self._retry_later(state, instance)
        self._ground.roster.touch(state)

    def _retry_later(self, state: TypeState, instance: Instance) -> None:
        pause = restart_delay(max(1, instance.failures), random.random())  # noqa: S311 - it spreads retries
        instance.retry = self._ground.loop.at(self._ground.loop.now() + pause, lambda: self._retry(state, instance))

    def _retry(self, state: TypeState, instance: Instance) -> None:
        instance.retry = None
        if not instance.is_wanted or instance.asked or is_on(instance.unit):
            return
        if instance.host.takes_more:
            self.start(state, instance, instance.action)
        else:
            self._retry_later(state, instance)

    def _stopped(self, state: TypeState, instance: Instance) -> None:
        """Take in that a unit ended as it was asked to; what is left of a failure is cleared away."""
        if instance.unit.active_state == "failed":
            state.drains_killed += instance.unit.result == "timeout"
            instance.host.link.reset_failed(instance.unit.name, lambda _: None)
        self.drop(state, instance)

    def _stop_failed(self, state: TypeState, instance: Instance, answer: Answer) -> None:
        if is_over(instance.unit):
            self.drop(state, instance)
            return
        why, now = _explain(instance, answer), self._ground.loop.now()
        if instance.refused_at + _NOTE_SECONDS < now:
            self._ground.tell(f"{state.name_of(instance)} is not stopped: {why}")
        instance.note, instance.refused_at = why, now
        self._ground.loop.at(now + _NOTE_SECONDS, lambda: self._clear_note(state, instance, now))
        self._ground.roster.shift_desired(state, 1)
        instance.is_wanted = True
        self.runs.take_up(state, instance, is_new=False)

    def _clear_note(self, state: TypeState, instance: Instance, refused_at: float) -> None:
        if instance.refused_at == refused_at:
            instance.note = None
            self._ground.roster.touch(state)

    def _forget(self, state: TypeState, starts: list[Start]) -> None:
        state.history.forget(starts)
        self._ground.roster.touch(state)

    def _note_undone(self, state: TypeState, instance: Instance, how: str) -> None:
        now = self._ground.loop.now()
        if now - instance.acted_at > REVERSAL_SECONDS:
            return
        instance.acted_at = float("-inf")
        seconds = 0.0 if state.hold else state.contest.undone(instance.action, now)
        if seconds:
            minutes = f"{seconds / _MINUTE:g} min"
            what = f"{instance.unit.name} was {how} against a change made here"
            state.hold = f"{state.name}: somebody else changes its units too ({what}); not scaled for {minutes}, end {_SUSPECTS}"
            self._ground.tell(state.hold)
            self._ground.loop.at(now + seconds, lambda: self._release(state))

    def _release(self, state: TypeState) -> None:
        state.hold = None
        self._ground.roster.touch(state)


_SUSPECTS = "the other controller, or what else does it, such as StopWhenUnneeded= in the unit"
_RESULTS = {
    "done": "its conditions do not hold, or it ended at once",
    "dependency": "what it depends on failed",
    "skipped": "its conditions do not hold",
    "timeout": "the job ran into its timeout",
    "assert": "its assertions do not hold",
    "unsupported": "this kind of unit is not supported there",
}


def _explain(instance: Instance, answer: Answer) -> str:
    unit, place = instance.unit.name, instance.host.place
    if answer.error in _FORBIDDEN:
        return f"systemd on {place} does not let this user change {unit}; install the polkit rule that `autoscaler export systemd` writes"
    return f"systemd on {place} refuses to change {unit}: {answer.sentence or answer.error}"
