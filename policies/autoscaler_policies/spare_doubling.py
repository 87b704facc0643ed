"""Keep the idle processes between two numbers, adding twice as many on every pass."""

from __future__ import annotations

from dataclasses import dataclass

from autoscaler_policies.spare_pass import Seen, State, Step

_FASTEST = 32  # processes a pass; MAX_SPAWN_RATE of both


@dataclass(frozen=True, slots=True)
class Doubling:
    """Add 1, 2, 4 to 32 processes on passes that follow each other, and remove one at a time.

    php-fpm's ``pm = dynamic`` (``fpm_process_ctl.c``) never adds more than are missing; Apache's prefork (``prefork.c``) does.
    """

    minimum_spare: int
    maximum_spare: int
    adds_only_missing: bool

    def step(self, seen: Seen, state: State) -> Step:
        """Take one pass."""
        if seen.idle > self.maximum_spare:
            return Step(-1, f"{seen} > {self.maximum_spare} spare: one less", {"rate": 1})
        if seen.idle < self.minimum_spare:
            return self._add(seen, state.get("rate", 1))
        return Step(0, f"{seen}, {self.minimum_spare} to {self.maximum_spare} spare", {"rate": 1})

    def _add(self, seen: Seen, rate: int) -> Step:
        missing = self.minimum_spare - seen.idle
        added = min(rate, seen.room, missing) if self.adds_only_missing else min(rate, seen.room)
        if added == 0:
            return Step(0, f"{seen} < {self.minimum_spare} spare, at the maximum of {seen.maximum}", {"rate": 1})
        least = f"min(rate {rate}, {f'{missing} missing, ' if self.adds_only_missing else ''}room {seen.room})"
        return Step(added, f"{seen} < {self.minimum_spare} spare: {least} = {added} more", {"rate": min(_FASTEST, 2 * rate)}, {"rate": rate})
