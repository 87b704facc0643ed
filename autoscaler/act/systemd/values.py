"""What one systemd tells of its units, and whom it tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

GONE = "inactive"
NO_ANSWER = "autoscaler.NoAnswer"  # stands for the error's name when no answer came in time, or the connection broke before it came


_UNCLEAR = (NO_ANSWER, "org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.Disconnected")


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit as systemd's manager describes it (org.freedesktop.systemd1(5))."""

    name: str
    load_state: str = "loaded"  # loaded, not-found, masked, bad-setting, error
    active_state: str = GONE  # active, reloading, inactive, failed, activating, deactivating
    sub_state: str = "dead"  # such as running, start, auto-restart, stop-sigterm
    job: str = ""  # the type of the job that is queued or under way, such as start, stop or restart; empty: none
    result: str = "success"  # of a service, such as exit-code, signal, timeout, start-limit-hit
    restarts: int = 0  # automatic ones, since it was last started


@dataclass(frozen=True, slots=True)
class Inventory:
    """All that one systemd knows of the units that were asked for."""

    units: Mapping[str, Unit] = field(default_factory=dict)  # those that are loaded, by name
    files: Mapping[str, str] = field(default_factory=dict)  # state of every unit file, by the file's name: enabled, disabled, static, masked ...
    boot: str = ""  # another one after systemd itself has been started anew; the same after it has reloaded or re-executed


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a call: the object path of its job, where it makes one; or the name of a D-Bus error and its sentence."""

    job: str = ""
    error: str = ""  # such as org.freedesktop.systemd1.NoSuchUnit; empty: it went well
    sentence: str = ""


def is_unclear(answer: Answer) -> bool:
    """Tell whether what was asked for may have been done, though nobody said so."""
    return answer.error in _UNCLEAR


class Watcher(Protocol):
    """Whoever follows the units of one host; called in the thread of the event loop, never from within a call to the link."""

    def up(self, inventory: Inventory) -> None:
        """Take in everything: after connecting, and again whenever something may have been missed."""

    def changed(self, unit: Unit) -> None:
        """Take in one unit that has changed; one that is not loaded any more comes as inactive."""

    def job_ended(self, job: str, unit: str, result: str) -> None:
        """Take in the end of a job, ours or another's: done, canceled, timeout, failed, dependency, skipped."""

    def going_down(self) -> None:
        """Take in that the host, or the user's manager, shuts down: its units are stopped by nobody's wish."""

    def lost(self, cause: str) -> None:
        """Take in that the host does not answer, and why; it is tried again until ``up``. Told once for each loss or first failure."""

    def memory(self, free_bytes: int) -> None:
        """Take in how much memory the host has free."""
