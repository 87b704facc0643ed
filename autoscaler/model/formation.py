"""Processes: how a type of them is configured, what runs, and what a backend is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


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
    memory_bytes: int | None = None  # what one process needs; None: not said
    is_singleton: bool = False  # never two at a time, not even while one drains

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
    is_called: bool = False  # a connection waits at the shared socket, and no process is there to take it
    obstacle: str | None = None  # why no process of it can be started at all, in a sentence
    free_memory_bytes: int | None = None  # of the host that new processes start on; None: not known
    unready: str | None = None  # why it is not known which processes are ready, in a sentence; running then counts all that exist
    chooses_idlest: bool = True  # whether a scale-in takes the processes that ``Change.loads`` names as the idlest


@dataclass(frozen=True, slots=True)
class Formation:
    """What runs now: a ``TypeFormation`` for each process type, by its name."""

    types: Mapping[str, TypeFormation]
    happenings: tuple[str, ...] = ()  # what happened since the last observation, in sentences
    errors: Mapping[str, str] = field(default_factory=dict)  # by process type that is not among ``types``: why it is not known, in a sentence


@dataclass(frozen=True, slots=True)
class Change:
    """Tell a backend how many processes of a type should run: absolute, so that repeating it does no harm."""

    process_type: str
    current: int
    target: int
    reason: str
    loads: Mapping[str, float] = field(default_factory=dict)  # how busy each process is, by name, as far as a reading tells: the idlest may go first


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a backend answered to one ``Change``; ``error`` is a sentence when it was refused."""

    process_type: str
    error: str | None = None
