"""Keep processes idle for what comes next, as process managers do for their own workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, TypeAlias, cast

from autoscaler.model import Duration, Help, Json, Metric, Number, Observation, Processes, Recommendation
from autoscaler_policies.spare_busyness import Busyness
from autoscaler_policies.spare_cheaper import ListenQueue, OneSpare, SomeSpare
from autoscaler_policies.spare_doubling import Doubling
from autoscaler_policies.spare_on_demand import OnDemand
from autoscaler_policies.spare_pass import Rule, State, see

Mode: TypeAlias = Literal["dynamic", "ondemand", "prefork", "spare", "spare2", "backlog", "busyness"]
_Count: TypeAlias = Annotated[int, Number(at_least=1)]
_Percent: TypeAlias = Annotated[int, Number(at_least=0, at_most=100)]

# The metrics a mode needs, and those it may use beside them.
_NEEDS: Mapping[Mode, tuple[str, ...]] = {"ondemand": ("busy", "listening"), "backlog": ("listening",)}
_MAY_USE: Mapping[Mode, tuple[str, ...]] = {"busyness": ("listening",)}
# The other fields that a mode reads; all read tick.
_FIELDS: Mapping[Mode, tuple[str, ...]] = {
    "dynamic": ("minimum_spare", "maximum_spare"),
    "ondemand": ("idle_timeout_seconds",),
    "prefork": ("minimum_spare", "maximum_spare"),
    "spare": ("overload", "step"),
    "spare2": ("minimum_spare", "step", "idle_passes"),
    "backlog": ("overload", "step"),
    "busyness": ("overload", "step", "busyness_above", "busyness_below", "multiplier", "penalty"),
}
# The defaults of www.conf (php-fpm) and of MinSpareServers and MaxSpareServers (Apache).
_SPARE: Mapping[Mode, tuple[int, int]] = {"dynamic": (1, 3), "prefork": (5, 10), "spare2": (1, 1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spare:
    """Keep idle processes by the rules of php-fpm, Apache's prefork or uWSGI's cheaper subsystem.

    - ``dynamic`` (php-fpm) and ``prefork`` (Apache): between ``minimum_spare`` and ``maximum_spare`` idle; adds 1, 2, 4 to 32 on
      passes that follow each other, ``dynamic`` never more than are missing, and removes one a pass.
    - ``ondemand`` (php-fpm): one for each waiting connection that finds none idle; removes one a pass after ``idle_timeout``.
    - ``spare`` (uWSGI): one idle; ``step`` more after more than ``overload`` passes with none.
    - ``spare2`` (uWSGI): ``minimum_spare`` idle; one less after ``idle_passes`` passes with more.
    - ``backlog`` (uWSGI): ``step`` more while more than ``overload`` connections wait, one less while fewer do.
    - ``busyness`` (uWSGI): between ``busyness_below`` and ``busyness_above`` percent busy over ``overload`` passes.

    All of them take a pass a second. A tick takes at most one pass, so that with ``interval: 5s`` a pass is every 5 seconds.
    Processes that start count as idle, as prefork has it. What the rules remember (the rate, the counters) goes on only when the
    size followed; what was refused is asked for again. They remove one process at a time and measure the idle time themselves:
    with the default stabilization of scale-in that is one process in 5 minutes.
    """

    mode: Annotated[Mode, Help("whose rules: php-fpm's dynamic or ondemand, Apache's prefork, uWSGI's spare, spare2, backlog or busyness")] = (
        "dynamic"
    )
    busy: Annotated[Metric | None, Help("processes that work on something now")] = None
    listening: Annotated[Metric | None, Help("connections that wait in the listen queue")] = None
    minimum_spare: Annotated[Processes | None, Help("idle processes at least: dynamic 1, prefork 5, spare2 1")] = None
    maximum_spare: Annotated[Processes | None, Help("idle processes at most: dynamic 3, prefork 10")] = None
    idle_timeout_seconds: Annotated[Duration, Help("ondemand: idle time before a process is removed")] = 10.0
    overload: Annotated[_Count, Help("spare: passes; backlog: waiting connections; busyness: passes of a window")] = 3
    step: Annotated[_Count, Help("uWSGI's modes: processes added at a time")] = 1
    idle_passes: Annotated[_Count, Help("spare2: passes with more idle than wanted before one is removed")] = 10
    busyness_above: Annotated[_Percent, Help("busyness: percent busy over which processes are added")] = 50
    busyness_below: Annotated[_Percent, Help("busyness: percent busy under which one is removed")] = 25
    multiplier: Annotated[_Count, Help("busyness: windows before one is removed")] = 10
    penalty: Annotated[Processes, Help("busyness: windows more after one was removed too early")] = 2
    tick_seconds: Annotated[Duration, Help("least time from one pass to the next")] = 1.0

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a mode without its metric, and for bounds that exclude each other."""
        for metric in self._needs():
            if getattr(self, metric) is None:
                raise ValueError(f"mode {self.mode} needs {metric}; name the metric that counts it")
        least, most = self._spare()
        if least > most and self.mode in {"dynamic", "prefork"}:
            raise ValueError(f"minimum_spare {least} is above maximum_spare {most}; lower the one or raise the other")
        if self.busyness_below > self.busyness_above:
            raise ValueError(f"busyness_below {self.busyness_below} is above busyness_above {self.busyness_above}; lower the one or raise the other")

    def warnings(self) -> tuple[str, ...]:
        """Say what works, and may surprise."""
        used = {"mode", "tick_seconds", *self._metrics(), *_FIELDS[self.mode]}
        unused = [field.name for field in fields(self) if field.name not in used and getattr(self, field.name) != field.default]
        return tuple(f"mode {self.mode} does not use {name.removesuffix('_seconds')}; remove it" for name in unused)

    def recommend(self, observation: Observation, memory: Json) -> Recommendation:
        """Take the next pass when it is due, and until then stay with what the last one asked for."""
        # Any: the shape of our own memory is known.
        kept = cast("dict[str, Any] | None", memory)
        if kept is not None and kept["mode"] != self.mode:
            kept = None  # the configuration changed: another rule's counters mean nothing here
        desired, now, half = observation.counts.desired, observation.now, observation.process_type.interval_seconds / 2
        used = self._metrics()
        seen = see(observation, self.busy if "busy" in used else None, self.listening if "listening" in used else None)
        if kept is not None and now - kept["at"] < self.tick_seconds - half:
            # A size that somebody else set since then stays until the next pass.
            stays = kept["asked"] if desired in (kept["asked"], kept["from"]) else desired
            return Recommendation(stays, f"the next pass is due {self.tick_seconds:g} s after the last -> {stays}", memory)
        step = self._rule().step(seen, _state(kept, desired))
        asked = max(0, desired + step.change)
        after: dict[str, Json] = {"mode": self.mode, "at": now, "from": desired, "asked": asked, "then": step.then}
        if step.refused is not None:
            after["refused"] = step.refused
        return Recommendation(asked, f"{step.said} -> {asked}", after)

    def _metrics(self) -> tuple[str, ...]:
        return (*self._needs(), *_MAY_USE.get(self.mode, ()))

    def _needs(self) -> tuple[str, ...]:
        return _NEEDS.get(self.mode, ("busy",))

    def _spare(self) -> tuple[int, int]:
        least, most = _SPARE.get(self.mode, (0, 0))
        return (least if self.minimum_spare is None else self.minimum_spare, most if self.maximum_spare is None else self.maximum_spare)

    def _rule(self) -> Rule:
        least, most = self._spare()
        match self.mode:
            case "ondemand":
                return OnDemand(self.idle_timeout_seconds)
            case "spare":
                return OneSpare(self.overload, self.step)
            case "spare2":
                return SomeSpare(least, self.step, self.idle_passes)
            case "backlog":
                return ListenQueue(self.overload, self.step)
            case "busyness":
                return Busyness(self.overload, self.step, self.busyness_above, self.busyness_below, self.multiplier, self.penalty)
        return Doubling(least, most, adds_only_missing=self.mode == "dynamic")


def _state(kept: dict[str, Any] | None, desired: int) -> State:
    """Choose the state after the last pass by whether the size followed it."""
    if kept is None:
        return {}
    state: State = kept["then"] if desired == kept["asked"] else kept.get("refused", kept["then"])
    return state
