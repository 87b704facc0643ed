"""Keep the busy share of the processes between two percentages, slower to remove the more often that was a mistake."""

from __future__ import annotations

from dataclasses import dataclass

from autoscaler_policies.spare_pass import Seen, State, Step

_QUEUE_ALERT = 33  # connections that wait
_QUEUE_PASSES = 60  # with any connection waiting
_EMERGENCY_MULTIPLIER = 3
_CALM_WINDOWS = 3
_BEGIN: State = {"window": 0, "samples": [], "queued": 0, "wait": None, "removed": None, "calm": 0, "emergency": 0, "last": ""}


@dataclass(frozen=True, slots=True)
class Busyness:
    """Decide after every ``overload`` passes: uWSGI's ``busyness`` (``cheaper_busyness.c``), with one pass for one second.

    Over ``above`` percent busy, ``step_processes`` are added; under ``below``, one is removed once ``overload`` x multiplier
    passes went by. The multiplier grows by ``penalty`` when processes are added no later than multiplier windows after one was
    removed, and falls back by 1 otherwise. Three windows between the two percentages begin that time anew, one or two add a window
    to it. Over 33 waiting connections, or any for 60 passes, add one in an emergency, and the multiplier counts 3 while such ones
    are there. Each process's own running time is not known here: the share is ``busy`` of all, averaged over the passes.
    """

    overload: int
    step_processes: int
    above: int
    below: int
    multiplier: int
    penalty: int

    def step(self, seen: Seen, state: State) -> Step:
        """Take one pass."""
        state = self._counted(seen, state or {**_BEGIN, "multiplier": self.multiplier})
        if state["window"] < self.overload:
            return self._alert(seen, state) or Step(0, f"{seen}, pass {state['window']} of {self.overload}", state)
        # What is refused is decided again at the next pass, over the newest window.
        again, state = {**state, "window": self.overload - 1}, {**state, "window": 0}
        busy, total = (sum(column) for column in zip(*state["samples"], strict=True))
        said = f"{100 * busy / total if total else 0:.0f} % busy"
        if 100 * busy > self.above * total:
            return self._add(seen, state, again, f"{said} > {self.above} %")
        if (alert := self._alert(seen, state)) is not None:
            return alert
        if seen.total == 1:
            return Step(0, f"{said}, 1 process", state)
        if 100 * busy < self.below * total:
            return self._remove(seen, state, again, f"{said} < {self.below} %")
        return self._calm(state, f"{said}, {self.below} to {self.above} % wanted")

    def _counted(self, seen: Seen, state: State) -> State:
        wait = self._wait(state) if state["wait"] is None else max(0, state["wait"] - 1)
        return {
            **state,
            "window": state["window"] + 1,
            "samples": [*state["samples"], [seen.busy, seen.total]][-self.overload :],
            "queued": min(state["queued"] + 1, _QUEUE_PASSES) if seen.listening > 0 else 0,
            "wait": wait,
            "removed": None if state["removed"] is None else state["removed"] + 1,
        }

    def _wait(self, state: State) -> int:
        """Count the passes before one may be removed."""
        return self.overload * int(_EMERGENCY_MULTIPLIER if state["emergency"] else state["multiplier"])

    def _add(self, seen: Seen, state: State, again: State, said: str) -> Step:
        added = min(self.step_processes, seen.room)
        if added == 0:
            return Step(0, f"{said}, at the maximum of {seen.maximum}", {**state, "calm": 0})
        is_early = state["removed"] is not None and state["removed"] // self.overload <= state["multiplier"]
        multiplier = state["multiplier"] + self.penalty if is_early else self._decayed(state)
        after = {**state, "calm": 0, "last": "added", "multiplier": multiplier}
        return Step(added, f"{said}: {added} more", {**after, "wait": self._wait(after)}, again)

    def _alert(self, seen: Seen, state: State) -> Step | None:
        is_alert = seen.listening > _QUEUE_ALERT or state["queued"] >= _QUEUE_PASSES
        if not is_alert or seen.room == 0:
            return None
        after = {**state, "last": "added", "multiplier": self.multiplier, "emergency": state["emergency"] + 1, "queued": 0}
        return Step(1, f"{seen.listening} waiting, an emergency: 1 more", {**after, "wait": self._wait(after)}, state)

    def _remove(self, seen: Seen, state: State, again: State, said: str) -> Step:
        state, again = {**state, "calm": 0}, {**again, "calm": 0}
        if seen.total <= seen.minimum:
            return Step(0, f"{said}, at the minimum of {seen.minimum}", state)
        if state["wait"] > 0:
            return Step(0, f"{said}, one less in {state['wait']} passes", state)
        after = {**state, "multiplier": self._decayed(state) if state["last"] == "removed" else state["multiplier"]}
        after |= {"wait": self._wait(after), "removed": 0, "last": "removed", "emergency": max(0, state["emergency"] - 1)}
        return Step(-1, f"{said}: one less", after, again)

    def _calm(self, state: State, said: str) -> Step:
        after = {**state, "calm": state["calm"] + 1, "emergency": max(0, state["emergency"] - 1)}
        after["wait"] = self._wait(after) if after["calm"] >= _CALM_WINDOWS else state["wait"] + self.overload
        return Step(0, said, after)

    def _decayed(self, state: State) -> int:
        return max(self.multiplier, int(state["multiplier"]) - 1)
