"""The contract of a backend: observe what runs, and be told how much should.

To add a backend, write a frozen dataclass whose fields are its configuration, give it ``connect``, and name it under the
entry-point group ``autoscaler.backends``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Event
from typing import Protocol, runtime_checkable

from autoscaler.model import AutoscalerError, Change, Formation, Outcome, ProcessType


class BackendError(AutoscalerError):
    """A backend cannot do what it was asked; the text says what and why."""


def require_sound(mistakes: Iterable[tuple[str, str]]) -> None:
    """Raise ``BackendError`` with all mistakes, each a process type and a sentence, if there are any."""
    said = [f"formation.{name}: {sentence}" for name, sentence in mistakes]
    if said:
        raise BackendError("; ".join(said))


class Backend(Protocol):
    """A live connection to what runs the processes; called by one thread at a time.

    Several backends are called side by side, but a tick lasts until all have answered: one that may be slow answers in good time
    that it does not know (``Formation.errors``), and goes on beside the tick.
    """

    def observe(self) -> Formation:
        """Return what runs now; raise ``BackendError`` when that cannot be known."""

    def scale(self, changes: tuple[Change, ...]) -> tuple[Outcome, ...]:
        """Set absolute counts and return at once, before the processes are ready; one outcome a change."""

    def close(self, hurry: Event) -> None:
        """Let go. A backend that owns its processes drains them first, and kills them as soon as ``hurry`` is set."""


@runtime_checkable
class Wakes(Protocol):
    """A backend that also sees what cannot wait for the next tick, such as a connection to a type without processes."""

    def wake_with(self, call: Callable[[], None]) -> None:
        """Call ``call``, which returns at once, from any thread whenever a decision is needed now; it replaces the one before.

        That something needs a decision must show in ``observe``: the call only says when to look.
        """


class BackendPlugin(Protocol):
    """The configuration of a backend: what ``backend:`` in the file turns into.

    One whose processes end with the controller says so by a class attribute ``drains = True``; one that should not be asked every
    5 s, by ``default_interval_seconds``.
    """

    def connect(self, process_types: tuple[ProcessType, ...], previous: Backend | None) -> Backend:
        """Open the backend for these types; raise ``BackendError`` naming the key and the fix.

        ``previous`` is the connection this one replaces on a reload, when its configuration belongs to the same plug-in:
        a backend that owns processes takes them over from it, and usually returns ``previous`` itself with the new types set.
        """

    def observer(self, process_types: tuple[ProcessType, ...]) -> Backend:
        """Open the backend to look only: for ``plan``, ``check --connect`` and dry runs. Its ``scale`` is never called."""
