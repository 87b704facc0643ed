"""Imagine a formation, or watch one without touching it."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event

from autoscaler.act.backend import Backend
from autoscaler.model import Change, Counts, Formation, Outcome, Process, ProcessType, TypeFormation


@dataclass(frozen=True, slots=True)
class DryRun:
    """A formation that exists only here: every change is done at once, and nothing runs."""

    def connect(self, process_types: tuple[ProcessType, ...], previous: Backend | None) -> Backend:
        """Open an empty formation, or go on with the one imagined so far."""
        sizes = previous.sizes if isinstance(previous, Imagined) else {}
        return Imagined({one.name: sizes.get(one.name, 0) for one in process_types})

    def observer(self, process_types: tuple[ProcessType, ...]) -> Backend:
        """Open an empty formation to look at."""
        return self.connect(process_types, None)


class Imagined:
    """The sizes that were asked for."""

    def __init__(self, sizes: dict[str, int]) -> None:
        """Begin with these sizes, by process type."""
        self.sizes = sizes

    def observe(self) -> Formation:
        """Return every process that was asked for as ready."""
        return Formation({name: _imagine(name, size) for name, size in self.sizes.items()})

    def scale(self, changes: tuple[Change, ...]) -> tuple[Outcome, ...]:
        """Imagine the changes done."""
        return tuple(self._scale(change) for change in changes)

    def close(self, hurry: Event) -> None:
        """Forget the formation; there is nothing to wait for."""

    def _scale(self, change: Change) -> Outcome:
        if change.process_type not in self.sizes:
            return Outcome(change.process_type, f"there is no process type {change.process_type}")
        self.sizes[change.process_type] = change.target
        return Outcome(change.process_type)


class Shadow:
    """Shows what another backend observes, and answers every change without making it: for plans and dry runs."""

    def __init__(self, observed: Backend) -> None:
        """Watch this backend."""
        self._observed = observed

    def observe(self) -> Formation:
        """Return what the other observes."""
        return self._observed.observe()

    def scale(self, changes: tuple[Change, ...]) -> tuple[Outcome, ...]:
        """Answer yes, and do nothing."""
        return tuple(Outcome(change.process_type) for change in changes)

    def close(self, hurry: Event) -> None:
        """Let go of the other."""
        self._observed.close(hurry)


def _imagine(name: str, size: int) -> TypeFormation:
    processes = tuple(Process(f"{name}.{number}", "running") for number in range(1, size + 1))
    return TypeFormation(Counts(size, size), processes)
