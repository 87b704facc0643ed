"""The values that every part of the autoscaler speaks in.

Times called ``now``, and ``Reading.at``, are monotonic seconds of one ``Clock``; ``Observation.at`` and ``Decision.at`` are wall
seconds since the epoch. The clock rounds both to microseconds, so that a record of them is read back without loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class AutoscalerError(Exception):
    """Any failure that the autoscaler can name; the text is one sentence an operator can act on."""


class MissingReadingError(AutoscalerError):
    """A policy asked for a metric that has no usable reading now."""

    def __init__(self, metric: str, cause: str) -> None:
        """Keep the metric and why it is missing."""
        super().__init__(f"{metric} is missing: {cause}")
        self.metric, self.cause = metric, cause


@dataclass(frozen=True, slots=True)
class Seconds:  # the markers of plug-in fields begin here: they tell config/ how to read a value from the file
    """A duration such as ``30s``; the field ends in ``_seconds``, its key in the file does not."""

    allow_zero: bool = False


@dataclass(frozen=True, slots=True)
class MetricName:
    """The name of an entry under ``metrics:``."""


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number within bounds; ``above`` is exclusive."""

    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True)
class FilePath:
    """A path; a relative one is taken from the folder of the configuration file."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that is never printed, logged or recorded; in the file it must come from ``${NAME}``."""


@dataclass(frozen=True, slots=True)
class Help:
    """One line on the field, shown by the schema and in error messages."""

    text: str


Duration = Annotated[float, Seconds()]
DurationOrZero = Annotated[float, Seconds(allow_zero=True)]
Metric = Annotated[str, MetricName()]
Positive = Annotated[float, Number(above=0)]
Ratio = Annotated[float, Number(at_least=0, at_most=1)]
Processes = Annotated[int, Number(at_least=0)]
PathName = Annotated[str, FilePath()]
SecretText = Annotated[str, Secret()]


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a TCP port to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        """Write ``127.0.0.1:8000``, with brackets around an IPv6 host."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessType:
    """A named kind of process, its limits and how one process of it lives."""

    name: str
    minimum: int
    maximum: int
    slots: int = 1
    interval_seconds: float = 5.0
    startup_seconds: float | None = None  # from start to ready; None: measured
    stop_timeout_seconds: float = 10.0
    command: str | None = None  # None: the Procfile's line of this name
    socket: Literal["none", "port", "shared"] = "none"
    listen: Address | None = None  # of the shared socket
    ready: Literal["lived", "port", "notify"] = "lived"
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def start_timeout_seconds(self) -> float:
        """Starting for longer than this is failed: three times the startup, at least 60 s."""
        return max(60.0, 3.0 * (self.startup_seconds or 0.0))


@dataclass(frozen=True, slots=True)
class Counts:
    """How many processes of a type are in which state."""

    desired: int  # what the backend was last told, by anyone
    running: int = 0  # ready
    starting: int = 0
    draining: int = 0
    failed: int = 0
    unknown: int = 0  # on a host that does not answer

    @property
    def capacity(self) -> int:
        """Processes that work now or soon; draining ones never count."""
        return self.running + self.starting


ProcessState = Literal["starting", "running", "draining", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Process:
    """One process as its backend knows it; ``name`` is ``web.1``."""

    name: str
    state: ProcessState
    metrics: Address | None = None  # where this process serves its own metrics
    host: str | None = None


@dataclass(frozen=True, slots=True)
class TypeFormation:
    """The processes of one type as a backend observed them."""

    counts: Counts
    processes: tuple[Process, ...] = ()
    startup_seconds: float | None = None  # measured, None before the first start
    is_crash_looping: bool = False
    starts: int = 0  # since this controller began
    drains_killed: int = 0  # processes killed because they outlived their stop timeout
    notes: tuple[str, ...] = ()  # what an operator should know now, in sentences


@dataclass(frozen=True, slots=True)
class Formation:
    """What runs now: a ``TypeFormation`` for each process type, by its name."""

    types: Mapping[str, TypeFormation]
    happenings: tuple[str, ...] = ()  # what happened since the last observation, in sentences


@dataclass(frozen=True, slots=True)
class Change:
    """Tell a backend how many processes of a type should run: absolute, so that repeating it does no harm."""

    process_type: str
    current: int
    target: int
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a backend answered to one ``Change``; ``error`` is a sentence when it was refused."""

    process_type: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The newest value of a metric; ``at`` is the time of its newest sample in monotonic seconds, not of the poll."""

    metric: str
    value: float
    at: float
    window_seconds: float = 0.0  # the span the value was averaged over, 0 for a momentary one
    by_process: Mapping[str, float] | None = None  # value of each process, by name


@dataclass(frozen=True, slots=True)
class ReadyCount:
    """From ``since`` (monotonic seconds) on, ``running`` processes were ready."""

    since: float
    running: int


@dataclass(frozen=True, slots=True)
class Observation:
    """All that policies may know about one process type at one tick."""

    now: float
    at: float
    process_type: ProcessType
    counts: Counts
    readings: Mapping[str, Reading] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)  # metric -> why it has no reading
    startup_seconds: float = 0.0  # configured, else measured, else 0
    is_crash_looping: bool = False
    ready_history: tuple[ReadyCount, ...] = ()  # oldest first, filled in by the pipeline

    def reading(self, metric: str) -> Reading:
        """Return the newest reading of ``metric``; raise ``MissingReadingError`` when there is none."""
        found = self.readings.get(metric)
        if found is None:
            raise MissingReadingError(metric, self.missing.get(metric, "it is no metric of this policy"))
        return found

    def value(self, metric: str) -> float:
        """Return the newest value of ``metric``; raise ``MissingReadingError`` when there is none."""
        return self.reading(metric).value

    def processes_behind(self, metric: str) -> int:
        """Count the processes that produced a reading: those in ``by_process``, else those ready at its time."""
        reading = self.reading(metric)
        if reading.by_process is not None:
            return len(reading.by_process)
        for count in reversed(self.ready_history):
            if count.since <= reading.at:
                return count.running
        return self.ready_history[0].running if self.ready_history else self.counts.running


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A policy's wish: this many processes, for a reason a person can check with a pencil."""

    processes: int
    reason: str
    memory: Json = None


@dataclass(frozen=True, slots=True)
class Abstain:
    """A policy has its data and nothing to say."""

    reason: str
    memory: Json = None


@dataclass(frozen=True, slots=True)
class Missing:
    """A policy lacks its data."""

    metric: str
    cause: str
    memory: Json = None

    @property
    def reason(self) -> str:
        """Say what is missing and why."""
        return f"{self.metric} is missing: {self.cause}"


Answer: TypeAlias = Recommendation | Abstain | Missing


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """What one policy of a type answered, under its name in the configuration."""

    policy: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One rule changed the number of processes, and why."""

    rule: str
    before: int
    after: int
    reason: str


Action = Literal["scale_out", "scale_in", "hold", "none"]


@dataclass(frozen=True, slots=True)
class Decision:
    """How many processes of a type should run, and every step that led there."""

    observation: Observation
    answers: tuple[PolicyAnswer, ...]
    adjustments: tuple[Adjustment, ...]
    target: int
    action: Action
    reason: str
