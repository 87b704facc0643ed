"""What policies see and answer, and what is decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Literal, TypeAlias

from autoscaler.model.errors import MissingReadingError
from autoscaler.model.formation import Counts, ProcessType

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


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
    is_called: bool = False  # a connection waits, and no process is there to take it
    room: int | None = None  # how many more processes the host has memory for; None: no limit is known
    unready: str | None = None  # why it is not known which processes are ready; running then counts all that exist
    chooses_idlest: bool = True  # whether a scale-in takes the idlest processes
    ready_history: tuple[ReadyCount, ...] = ()  # oldest first, filled in by the pipeline

    def reading(self, metric: str) -> Reading:
        """Return the newest reading of ``metric``; raise ``MissingReadingError`` when there is none, or none that is a finite number."""
        found = self.readings.get(metric)
        if found is None:
            raise MissingReadingError(metric, self.missing.get(metric, "it is no metric of this policy"))
        if not isfinite(found.value) or (found.by_process and not all(map(isfinite, found.by_process.values()))):
            raise MissingReadingError(metric, "its value is no finite number")
        return found

    def amount(self, metric: str) -> Reading:
        """Return the newest reading of what can be no less than 0, such as a count, a rate or a time; a negative one is missing."""
        found = self.reading(metric)
        if found.value < 0:
            raise MissingReadingError(metric, f"{found.value:g} is below 0, and nothing can be so few")
        return found

    def value(self, metric: str) -> float:
        """Return the newest value of ``metric``; raise ``MissingReadingError`` when there is none."""
        return self.reading(metric).value

    def processes_behind(self, metric: str) -> int:
        """Count the processes that produced a reading: those in ``by_process``, else those ready at its time.

        Raises ``MissingReadingError`` where it is not known which are ready: a ratio would be multiplied by those that still start.
        """
        reading = self.reading(metric)
        if reading.by_process is not None:
            return len(reading.by_process)
        if self.unready is not None:
            raise MissingReadingError(metric, f"it is an average of the ready processes, and {self.unready}")
        for count in reversed(self.ready_history):
            if count.since <= reading.at:
                return count.running
        return self.ready_history[0].running if self.ready_history else self.counts.running


@dataclass(frozen=True, slots=True)
class Progress:
    """How the work of a process type goes, as far as a policy can tell from its readings."""

    backlog: float  # jobs that wait
    completed_per_second: float  # jobs that all processes finish
    at: float  # monotonic seconds of the newest sample behind that
    job_seconds: float | None = None  # time one job takes, None: not known
    window_seconds: float = 0.0  # the span the completions were measured over


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
