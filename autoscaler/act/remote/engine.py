"""The contract of an engine: what runs the processes elsewhere, and is asked and told over a network or by commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from autoscaler.model import Change, Counts, Process


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What an engine says of one process type when it is asked."""

    counts: Counts
    processes: tuple[Process, ...] = ()  # where the engine names them
    version: str | int | None = None  # of what was read: sent with a write, so that a change in between is noticed
    crashing: int = 0  # of the failed ones: those that keep failing soon after they start
    startups: Mapping[str, float] = field(default_factory=dict)  # seconds from start to ready of each process that the engine tells it of
    notes: tuple[str, ...] = ()  # what an operator should know now, in sentences
    obstacle: str | None = None  # why no process of it can be started at all, in a sentence
    unready: str | None = None  # why it is not known which processes are ready, in a sentence; then running counts all that exist
    chooses_idlest: bool = False  # whether a scale-in takes the processes that ``Change.loads`` names as the idlest


@dataclass(frozen=True, slots=True)
class Order:
    """A change, and what was seen when it was decided; ``seen.counts.desired`` differs from ``change.target``."""

    change: Change
    seen: Sighting

    @property
    def name(self) -> str:
        """Return the process type's name."""
        return self.change.process_type


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an order.

    ``done``: accepted. ``waits``: not now, for a reason that passes by itself; no error. ``refused``: an error. ``unclear``: it was
    sent, and no answer came: it may have been done, which the next look tells.
    """

    kind: Literal["done", "waits", "refused", "unclear"]
    sentence: str = ""


DONE = Verdict("done")


class Engine(Protocol):
    """A connection to what runs the processes; called by one thread at a time, and every call ends by its own deadlines."""

    def look(self) -> Mapping[str, Sighting | str]:
        """Return what runs of every process type, or a sentence on why that is not known; raise ``AutoscalerError`` when nothing is."""

    def scale(self, orders: tuple[Order, ...]) -> Mapping[str, Verdict]:
        """Set absolute counts, each at most once, and return without waiting for the processes; one verdict a process type.

        Raises ``AutoscalerError`` when none of them was done.
        """

    def close(self) -> None:
        """Let go of connections; nothing that runs is touched. A call under way may fail."""
