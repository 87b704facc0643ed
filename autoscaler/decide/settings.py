"""How the numbers of one process type are decided: its policies and its limits, as the configuration gives them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Literal, get_type_hints

from autoscaler.decide.policy import Policy
from autoscaler.model import MetricName, ProcessType

Combine = Literal["max", "min", "sum", "first"]
Select = Literal["max", "min", "disabled"]
WhenIn = Literal["always", "idle"]
WhenFutile = Literal["warn", "stop"]


@dataclass(frozen=True, slots=True)
class WhenMissing:
    """What stands in for a policy without its data."""

    do: Literal["hold", "processes", "at_least", "at_most"] = "hold"
    processes: int = 0


@dataclass(frozen=True, slots=True)
class NamedPolicy:
    """A policy of a type, under the name it has in records and metrics: ``backlog``, or ``backlog_2`` for a second one."""

    name: str
    policy: Policy
    when_missing: WhenMissing = WhenMissing()

    @property
    def metrics(self) -> tuple[str, ...]:
        """Name the metrics this policy reads: the values of its fields marked ``MetricName``."""
        return metrics_of(self.policy)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most ``amount`` processes, or percent of the size at the start of the period, in ``period_seconds``."""

    amount: int
    unit: Literal["processes", "percent"]
    period_seconds: float


@dataclass(frozen=True, slots=True)
class DirectionLimits:
    """How fast one direction may go."""

    stabilization_seconds: float = 0.0
    cooldown_seconds: float = 0.0
    at_most: tuple[RateLimit, ...] = ()
    select: Select = "max"
    when: WhenIn = "always"  # of scale-in: idle takes only processes that do nothing


SCALE_OUT = DirectionLimits(at_most=(RateLimit(4, "processes", 15.0), RateLimit(100, "percent", 15.0)))
SCALE_IN = DirectionLimits(stabilization_seconds=300.0, at_most=(RateLimit(25, "percent", 60.0),))


@dataclass(frozen=True, slots=True)
class Pause:
    """What an operator holds still; ``reason`` is theirs."""

    scale_out: bool = False
    scale_in: bool = False
    reason: str = ""

    @property
    def both(self) -> bool:
        """Whether nothing may change, the limits included."""
        return self.scale_out and self.scale_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span of the clock with limits of its own: it opens at the times of ``cron`` and lasts ``for_seconds``, or until another cron time."""

    cron: str
    for_seconds: float | None = None
    until: str | None = None  # a cron expression; exactly one of the two is given
    minimum: int | None = None
    maximum: int | None = None
    processes: int | None = None  # fixes the number, in place of the other two
    at_once: bool = False  # a lower maximum does not wait for the limits of scale-in

    @property
    def said(self) -> str:
        """Name the window by its cron expression."""
        return f"the window '{self.cron}'"


@dataclass(frozen=True, slots=True)
class Schedule:
    """The windows of a process type, in one time zone of the IANA database."""

    timezone: str
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class FormationCap:
    """The most processes that all types may have together; ``preempt`` makes lower priorities give way to higher ones."""

    total: int
    preempt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeSettings:
    """One process type with everything that decides its number of processes."""

    process_type: ProcessType
    policies: tuple[NamedPolicy, ...] = ()
    combine: Combine = "max"
    scale_out: DirectionLimits = SCALE_OUT
    scale_in: DirectionLimits = SCALE_IN
    pause: Pause = field(default_factory=Pause)  # from the configuration; the operator's is added by the loop
    backend: str = "default"
    schedule: Schedule | None = None
    futility: WhenFutile = "warn"
    priority: int = 0  # higher first, when the formation is capped
    weight: float = 1.0  # share among types of the same priority
    metrics: tuple[str, ...] = field(init=False, repr=False, compare=False)  # every metric the policies read, each once, in order

    @property
    def name(self) -> str:
        """Name the process type."""
        return self.process_type.name

    def __post_init__(self) -> None:
        """Find once which metrics the policies read: it is asked on every tick."""
        object.__setattr__(self, "metrics", tuple(dict.fromkeys(metric for named in self.policies for metric in named.metrics)))


def metrics_of(policy: Policy) -> tuple[str, ...]:
    """Collect the metric names among the fields of a policy; a field may hold one, none, or a tuple of them."""
    names: list[str | None] = []
    for field_name in _metric_fields(type(policy)):
        value = getattr(policy, field_name)
        names.extend(value if isinstance(value, tuple) else (value,))
    return tuple(name for name in names if name)


@cache
def _metric_fields(kind: type) -> tuple[str, ...]:
    return tuple(name for name, hint in get_type_hints(kind, include_extras=True).items() if _mentions_metric(hint))


def _mentions_metric(hint: object) -> bool:
    if any(isinstance(marker, MetricName) for marker in getattr(hint, "__metadata__", ())):
        return True
    return any(_mentions_metric(argument) for argument in getattr(hint, "__args__", ()))
