"""Keep spare processes by uWSGI's cheaper algorithms that count passes."""

from __future__ import annotations

from dataclasses import dataclass

from autoscaler_policies.spare_pass import Seen, State, Step


@dataclass(frozen=True, slots=True)
class OneSpare:
    """Keep one idle process: uWSGI's ``spare`` (``uwsgi_cheaper_algo_spare``).

    A pass with none idle counts one up, any other one down. Over ``overload``, ``step`` processes are added. At 0, and unless
    exactly one is idle, one is removed every ``overload`` passes, down to the minimum.
    """

    overload: int
    step_processes: int

    def step(self, seen: Seen, state: State) -> Step:
        """Take one pass."""
        overloaded, passes = state.get("overloaded", 0), state.get("passes", 0)
        overloaded, passes = (overloaded + 1, 0) if seen.idle <= 0 else (max(0, overloaded - 1), passes)
        stayed: State = {"overloaded": overloaded, "passes": passes}
        if overloaded > self.overload:
            return _more(seen, self.step_processes, f"none idle {overloaded} times > {self.overload}", {"overloaded": 0, "passes": 0}, stayed)
        if overloaded == 0 and seen.idle != 1:
            return self._remove(seen, passes)
        return Step(0, f"{seen}, none idle {overloaded} times", stayed)

    def _remove(self, seen: Seen, passes: int) -> Step:
        after: State = {"overloaded": 0, "passes": passes + 1}
        if seen.total > seen.minimum and (passes + 1) % self.overload == 0:
            return Step(-1, f"{seen}, 1 is enough: one less every {self.overload} passes", after, {"overloaded": 0, "passes": passes})
        return Step(0, f"{seen}, 1 is enough", after)


@dataclass(frozen=True, slots=True)
class SomeSpare:
    """Keep ``minimum_spare`` idle processes: uWSGI's ``spare2``; one is removed after ``idle_passes`` passes with more."""

    minimum_spare: int
    step_processes: int
    idle_passes: int

    def step(self, seen: Seen, state: State) -> Step:
        """Take one pass."""
        missing = self.minimum_spare - seen.idle
        if missing > 0:
            return _more(seen, min(missing, self.step_processes), f"{missing} spare missing", {"passes": 0}, {"passes": 0})
        passes = state.get("passes", 0) + 1 if missing < 0 else 0
        if passes < self.idle_passes or seen.total <= seen.minimum:
            return Step(
                0, f"{seen}, {self.minimum_spare} wanted, more for {passes} of {self.idle_passes} passes", {"passes": min(passes, self.idle_passes)}
            )
        return Step(-1, f"{seen} > {self.minimum_spare} spare, {passes} passes: one less", {"passes": 0}, {"passes": passes - 1})


@dataclass(frozen=True, slots=True)
class ListenQueue:
    """Hold the listen queue at ``overload`` connections: uWSGI's ``backlog`` (``uwsgi_cheaper_algo_backlog``)."""

    overload: int
    step_processes: int

    def step(self, seen: Seen, state: State) -> Step:
        """Take one pass."""
        if seen.listening > self.overload:
            return _more(seen, self.step_processes, f"{seen.listening} waiting > {self.overload}", state, state)
        if seen.listening < self.overload and seen.total > seen.minimum:
            return Step(-1, f"{seen.listening} waiting < {self.overload}: one less", state)
        return Step(0, f"{seen.listening} waiting, {self.overload} wanted", state)


def _more(seen: Seen, processes: int, said: str, then: State, refused: State) -> Step:
    """Add processes as far as there is room."""
    added = min(processes, seen.room)
    if added == 0:
        return Step(0, f"{said}, at the maximum of {seen.maximum}", then)
    return Step(added, f"{said}: {added} more", then, refused)
