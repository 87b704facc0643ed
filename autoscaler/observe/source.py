"""The contract of a metric source: one poll in, one reading out.

To add a source, write a frozen dataclass whose fields are its configuration, give it ``read``, and name it under the
entry-point group ``autoscaler.sources``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from autoscaler.model import Address, AutoscalerError, Reading


class SourceError(AutoscalerError):
    """A source has no usable value now; the text is the cause, without the metric's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One question to a source: which metric, when, and until when an answer counts."""

    metric: str
    now: float  # monotonic seconds when the poll began
    at: float  # wall seconds when the poll began
    timeout_seconds: float  # the whole answer must be there by now + timeout_seconds
    window_seconds: float = 0.0  # as configured beside the metric
    processes: Mapping[str, Address] = field(default_factory=dict)  # where each process of the type serves its metrics

    def reading(
        self, value: float, *, age_seconds: float = 0.0, window_seconds: float | None = None, by_process: Mapping[str, float] | None = None
    ) -> Reading:
        """Make the reading of a value whose newest sample was ``age_seconds`` old when the poll began.

        Raises ``SourceError`` for a value that is not a finite number.
        """
        if not math.isfinite(value):
            raise SourceError(f"the value is {value}")
        window = self.window_seconds if window_seconds is None else window_seconds
        return Reading(self.metric, float(value), round(self.now - max(0.0, age_seconds), 6), window, by_process)


class Source(Protocol):
    """Reads one metric from outside.

    ``read`` is called on one thread at a time. A source that must remember between polls (a connection, the last value of a
    counter) keeps it in a field with ``init=False``.
    """

    def read(self, poll: Poll) -> Reading:
        """Return the newest reading; raise ``SourceError`` when there is none. Absent data is never zero."""


@runtime_checkable
class HasLiveness(Protocol):
    """A source that can tell whether the exporter behind its metric is alive."""

    def check_alive(self, query: str, poll: Poll) -> None:
        """Raise ``SourceError`` unless ``query`` answers with a number other than zero."""


@runtime_checkable
class ReadsEachProcess(Protocol):
    """A source that asks every process of one type for its own share."""

    @property
    def process_type(self) -> str | None:
        """Name the type whose processes are read; ``None`` when this source reads one endpoint."""


@runtime_checkable
class MeasuresRate(Protocol):
    """A source that may compare two polls, and so has no value at the first."""

    @property
    def needs_two_polls(self) -> bool:
        """Whether it does."""
