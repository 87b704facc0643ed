"""One number of a process type on one host, and the unit behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from autoscaler.act.event_loop import Timer
from autoscaler.act.starts import SETTLED_SECONDS, Start
from autoscaler.act.systemd.host import Host
from autoscaler.act.systemd.values import Unit
from autoscaler.model import ProcessState

RUNNING = ("active", "reloading")
_ON = (*RUNNING, "activating")
_STARTING_JOBS = ("start", "restart", "reload-or-start")
UNKNOWN_RESTARTS = -1
RESTARTING = "auto-restart"  # the state between a crash and systemd's next start, part of `activating`


def is_on(unit: Unit) -> bool:
    """Tell whether systemd runs the unit, or is about to."""
    return unit.active_state in _ON or unit.job in _STARTING_JOBS


def is_broken(unit: Unit) -> bool:
    """Tell whether the unit's process failed: systemd gave up, or waits for the next start."""
    return unit.active_state == "failed" or unit.sub_state == RESTARTING


def is_over(unit: Unit) -> bool:
    """Tell whether nothing runs in the unit, and nothing is about to."""
    return unit.active_state in ("inactive", "failed") and not is_on(unit)


@dataclass(slots=True, eq=False, kw_only=True)
class Instance:
    """A number on a host, from when it is first heard of until it is free again."""

    host: Host
    number: int
    unit: Unit
    is_wanted: bool = False  # it is one of the desired processes
    is_left_alone: bool = False  # somebody else stopped it: it is not started before somebody else has started it
    was_moved: bool = False  # its host was lost, and another process took its place
    asked: Literal["", "start", "stop"] = ""  # what systemd was asked for and has not finished
    job: str = ""  # of what was asked for; empty before the answer
    is_calling: bool = False  # the answer is yet to come
    call: int = 0  # counts what was asked for, so that a late answer is known as one
    has_started: bool = False  # it was taken up by systemd since it is wanted
    counted_restarts: int = 0  # of the unit's automatic ones, those whose starts are in the history; UNKNOWN_RESTARTS: it ran before
    asked_at: float | None = None  # of a start by us whose time to ready is yet to be measured
    active_at: float | None = None  # when its last run began
    ended_at: float = float("-inf")  # when the unit was last seen to be over
    is_active: bool = False
    is_to_enable: bool = False  # as soon as it is ready
    is_ready: bool = False
    is_late: bool = False  # starting for longer than a start may take
    start: Start | None = None
    failures: int = 0  # in a row
    failed_at: float = 0.0
    note: str | None = None
    retry: Timer | None = None
    timers: list[Timer] = field(default_factory=list)
    action: int = 0  # the change of ours that touched it last
    acted_at: float = float("-inf")
    refused_at: float = float("-inf")  # when systemd last refused to stop it

    @property
    def state(self) -> ProcessState | None:
        """Return the state of its process; None when there is none to speak of."""
        if not self.is_wanted:
            is_ending = self.asked == "stop" or not is_over(self.unit)
            return "draining" if is_ending and not self.was_moved and not (self.is_left_alone and is_over(self.unit)) else None
        if not self.host.takes_more:
            return "unknown"
        return self._state_of_unit()

    def has_lived(self, now: float) -> bool:
        """Tell whether it ran long enough for its end to say nothing about its start."""
        return self.active_at is not None and now - self.active_at >= SETTLED_SECONDS

    def cancel_timers(self) -> None:
        """Forget what was to happen while it ran."""
        for timer in (*self.timers, self.retry):
            if timer is not None:
                timer.cancel()
        self.timers.clear()
        self.retry = None

    def _state_of_unit(self) -> ProcessState:
        if is_broken(self.unit):
            return "failed"
        if self.unit.active_state in RUNNING:
            return "running" if self.is_ready else self._unless_late()
        if self.unit.active_state == "deactivating":
            return "draining" if self.unit.job else "failed"  # nobody stops it: its process has ended
        return self._unless_late() if is_on(self.unit) or self.asked == "start" else "failed"

    def _unless_late(self) -> ProcessState:
        return "failed" if self.is_late else "starting"
