"""Scale without touching anything: an imagined formation, and a real one that is only watched."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event

from autoscaler.act.backend import Backend
from autoscaler.model import Change, Counts, Formation, Outcome, Process, ProcessType, TypeFormation


@dataclass(frozen=True, slots=True)
class DryRun:
    """Imagine the formation: whatever is asked for runs at once."""

    def connect(self, process_types: tuple[ProcessType, ...], previous: Backend | None) -> Backend:
        """Imagine these types, at zero or at what ``previous`` had imagined."""
        known = previous.desired if isinstance(previous, ImaginedFormation) else {}
        return ImaginedFormation({each.name: known.get(each.name, 0) for each in process_types})

    def observer(self, process_types: tuple[ProcessType, ...]) -> Backend:
        """Look at an imagined formation, which begins at zero."""
        return self.connect(process_types, None)


class ImaginedFormation:
    """Remembers what it was told, and shows it as running."""

    def __init__(self, desired: dict[str, int]) -> None:
        """Begin with these processes by type."""
        self.desired = desired

    def observe(self) -> Formation:
        """Return the imagined processes, all of them running."""
        return Formation({name: _imagine(name, desired) for name, desired in self.desired.items()})

    def scale(self, changes: tuple[Change, ...]) -> tuple[Outcome, ...]:
        """Remember the new counts."""
        return tuple(self._scale(change) for change in changes)

    def close(self, hurry: Event) -> None:
        """Do nothing: nothing runs."""

    def _scale(self, change: Change) -> Outcome:
        name = change.process_type
        if name not in self.desired:
            return Outcome(name, f"{name} is not a process type of this formation; add it under formation:")
        if change.target < 0:
            return Outcome(name, f"{name}: {change.target} processes cannot run; ask for 0 or more")
        self.desired[name] = change.target
        return Outcome(name)


@dataclass(frozen=True, slots=True)
class Shadow:
    """Watches a real backend and changes nothing: for ``plan`` and ``run --dry-run``."""

    observed: Backend

    def observe(self) -> Formation:
        """Return what really runs."""
        return self.observed.observe()

    def scale(self, changes: tuple[Change, ...]) -> tuple[Outcome, ...]:
        """Agree to every change and make none."""
        return tuple(Outcome(change.process_type) for change in changes)

    def close(self, hurry: Event) -> None:
        """Close the watched backend."""
        self.observed.close(hurry)


def _imagine(name: str, desired: int) -> TypeFormation:
    processes = tuple(Process(f"{name}.{number}", "running") for number in range(1, desired + 1))
    return TypeFormation(Counts(desired=desired, running=desired), processes)
