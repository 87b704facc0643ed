"""Start a process when a connection waits, and stop one that was idle for long."""

from __future__ import annotations

from dataclasses import dataclass

from autoscaler_policies.spare_pass import Seen, State, Step


@dataclass(frozen=True, slots=True)
class OnDemand:
    """Add a process for each connection that waits and finds none idle; remove one a pass after an idle time.

    After php-fpm's ``pm = ondemand`` (``fpm_process_ctl.c``). It knows how long each process was idle; here a process was idle
    when more are there than were busy at any time within ``idle_seconds``, and nothing was added in that time.
    """

    idle_seconds: float

    def step(self, seen: Seen, state: State) -> Step:
        """Take one pass."""
        since = state.get("since", seen.now)
        peaks = [peak for peak in state.get("peaks", ()) if peak[1] > seen.busy and seen.now - peak[0] < self.idle_seconds]
        peaks.append([seen.now, seen.busy])
        stayed: State = {"since": since, "peaks": peaks}
        added = min(seen.listening - seen.idle, seen.room)
        if added > 0:
            return Step(added, f"{seen.listening} waiting, {seen}: {added} more", {"since": seen.now, "peaks": peaks}, stayed)
        most = peaks[0][1]
        if seen.total > most and seen.now - since >= self.idle_seconds:
            return Step(-1, f"{seen.total} there, at most {most} busy within {self.idle_seconds:g} s: one less", stayed)
        return Step(0, f"{seen.listening} waiting, {seen}", stayed)
