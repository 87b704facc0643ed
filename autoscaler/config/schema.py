"""The sections of the configuration file, each as the frozen dataclass that its mapping is read into.

``None`` stands for a key that is not given; what is not given in a type comes from ``defaults``, and then from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from autoscaler.decide.settings import Combine, RateLimit, Select, WhenFutile, WhenIn
from autoscaler.model import Address, Bytes, Duration, DurationOrZero, Help, Number, PathName, Positive, Processes, Seconds, SecretText

DEFAULT_LISTEN = Address("127.0.0.1", 9797)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSection:
    """The whole file."""

    interval_seconds: Annotated[float | None, Seconds(), Number(at_least=0.1), Help("time between two decisions; default 5s, heroku 15s")] = None
    listen: Annotated[Address | None, Help("where /metrics, /-/healthy, /-/ready and /status are served; null: nowhere")] = DEFAULT_LISTEN
    listen_token: Annotated[SecretText | None, Help("bearer token that a client has to send; needed when listen is not loopback")] = None
    listen_certificate: Annotated[PathName | None, Help("PEM file with the certificate, for TLS")] = None
    listen_key: Annotated[PathName | None, Help("PEM file with the certificate's key, for TLS")] = None
    backend: Annotated[object, Help("what adds and removes processes; default {local: {procfile: Procfile}}")] = None
    backends: Annotated[object, Help("several backends by name, in place of backend")] = None
    metrics: Annotated[object, Help("what is read, by name")] = None
    defaults: Annotated[object, Help("what holds for every process type that does not say otherwise")] = None
    formation: Annotated[object, Help("the process types by name")] = None
    total: Annotated[int | None, Number(at_least=1), Help("the most processes of all types together, those that drain included")] = None
    preempt: Annotated[bool, Help("types of a lower priority scale in for those of a higher one, where total leaves no room")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSection:
    """What stands beside the source of a metric."""

    every_seconds: Annotated[float, Seconds(), Number(at_least=0.01), Help("time between two polls")] = 5.0
    max_age_seconds: Annotated[Duration | None, Help("age at which a reading is missing; default three times every, at least 15s")] = None
    timeout_seconds: Annotated[Duration | None, Help("time within which a poll must be answered; default every, at least 1s and at most 10s")] = None
    window_seconds: Annotated[DurationOrZero, Help("span that the source averages over, such as the 1m of a rate(x[1m])")] = 0.0
    alive: Annotated[str | None, Help("query that answers 0 or nothing when the exporter behind the metric is dead")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionSection:
    """How fast one direction may go."""

    stabilization_seconds: Annotated[DurationOrZero | None, Help("how far back is looked before a change; default out 0s, in 5m")] = None
    cooldown_seconds: Annotated[DurationOrZero | None, Help("the pause after a change; default 0s")] = None
    at_most: Annotated[tuple[RateLimit, ...] | None, Help("change limits; default out [4 per 15s, 100% per 15s], in [25% per 1m]")] = None
    select: Annotated[Select | None, Help("which limit counts: the one that allows most (max) or least (min), or no change at all (disabled)")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleInSection(DirectionSection):
    """How fast processes are removed, and which."""

    when: Annotated[WhenIn | None, Help("idle: only processes that do nothing go, as a metric of each or a policy's busy tells; default always")] = (
        None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WhenMissingSection:
    """What stands in for a policy without its data, as a number of processes."""

    processes: Annotated[Processes | None, Help("take this many")] = None
    at_least: Annotated[Processes | None, Help("keep the present number, and at least this many")] = None
    at_most: Annotated[Processes | None, Help("keep the present number, but at most this many")] = None

    def __post_init__(self) -> None:
        """Raise ``ValueError`` unless one of the three is given."""
        if (self.processes, self.at_least, self.at_most).count(None) != 2:  # noqa: PLR2004 - two of three are left out
            raise ValueError("say one of processes, at_least and at_most; write {processes: 2}, {at_least: 2} or {at_most: 2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySection:
    """What stands beside a policy."""

    when_missing: Annotated[Literal["hold"] | WhenMissingSection, Help("what is done without the policy's data")] = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSection:
    """A span of the clock with limits of its own."""

    cron: Annotated[str | None, Help("when it begins: minute hour day month weekday")] = None
    for_seconds: Annotated[Duration | None, Help("how long it lasts")] = None
    until: Annotated[str | None, Help("when it ends, as a cron expression, in place of for")] = None
    minimum: Annotated[Processes | None, Help("the fewest processes meanwhile; holds at once")] = None
    maximum: Annotated[Processes | None, Help("the most processes meanwhile; what runs beyond it scales in through the limits")] = None
    processes: Annotated[Processes | None, Help("exactly so many processes meanwhile")] = None
    at_once: Annotated[bool, Help("scale in to the maximum at once, whatever the limits say")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSection:
    """When other limits hold than usual."""

    timezone: Annotated[str | None, Help("name from the IANA database, such as Europe/Budapest; default UTC")] = None
    windows: Annotated[tuple[WindowSection, ...] | None, Help("spans of the clock with limits of their own")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultsSection:
    """What may be said of every process type at once."""

    minimum: Annotated[Processes | None, Help("the fewest processes; default 1")] = None
    maximum: Annotated[int | None, Number(at_least=1), Help("the most processes; has no default")] = None
    slots: Annotated[int | None, Number(at_least=1), Help("jobs that one process works on at a time; default 1")] = None
    startup_seconds: Annotated[DurationOrZero | None, Help("from start to ready; measured when left out")] = None
    stop_timeout_seconds: Annotated[DurationOrZero | None, Help("time to finish work after TERM, before KILL; default 10s")] = None
    socket: Annotated[Literal["none", "port", "shared"] | None, Help("none, a PORT for each process, or one shared listening socket")] = None
    ready: Annotated[Literal["lived", "port", "notify"] | None, Help("what makes a process ready; default port for socket: port, else lived")] = None
    environment: Annotated[Mapping[str, str] | None, Help("environment variables of the processes")] = None
    combine: Annotated[Combine | None, Help("which of several policies counts; default max")] = None
    scale_out: Annotated[DirectionSection | None, Help("how fast processes are added")] = None
    scale_in: Annotated[ScaleInSection | None, Help("how fast processes are removed")] = None
    backend: Annotated[str | None, Help("name of the backend that runs the type, when there are several")] = None
    memory_bytes: Annotated[Bytes | None, Help("memory one process needs; none is started beyond what its host has free")] = None
    schedule: Annotated[ScheduleSection | None, Help("when other limits hold than usual")] = None
    futility: Annotated[WhenFutile | None, Help("what is done when more processes complete no more work; default warn")] = None
    priority: Annotated[int | None, Help("who comes first when total is reached: the higher; default 0")] = None
    weight: Annotated[Positive | None, Help("share among types of the same priority; default 1")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeSection(DefaultsSection):
    """One process type."""

    command: Annotated[str | None, Help("what a process runs; default the Procfile's line of this name")] = None
    listen: Annotated[Address | None, Help("address of the shared socket")] = None
    singleton: Annotated[bool | None, Help("never two processes, not even while one drains")] = None
    policies: Annotated[tuple[object, ...] | None, Help("what says how many processes are needed; none: the minimum")] = None
    pause: Annotated[bool | str | None, Help("change nothing; true, or the reason")] = None
    pause_scale_out: Annotated[bool | str | None, Help("add nothing; true, or the reason")] = None
    pause_scale_in: Annotated[bool | str | None, Help("remove nothing; true, or the reason")] = None
