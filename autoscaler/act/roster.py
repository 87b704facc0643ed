"""Hold the process types of a backend as its thread changes them, and publish them as values that any thread may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from threading import Lock
from typing import Generic, Protocol, TypeVar

from autoscaler.model import ProcessType, TypeFormation


class Kept(Protocol):
    """A process type as a backend runs it now."""

    process_type: ProcessType
    desired: int
    is_removed: bool

    @property
    def name(self) -> str:
        """Return the process type's name."""

    def describe(self) -> TypeFormation:
        """Return what runs of this type as a value."""


State = TypeVar("State", bound=Kept)


class Roster(Generic[State]):
    """All process types by name. The loop's thread changes them; any thread reads what is published."""

    def __init__(self) -> None:
        """Begin with no types."""
        self.types: dict[str, State] = {}
        self._published: Mapping[str, TypeFormation] = {}
        self._changed: dict[str, State] = {}
        self._lock = Lock()

    def touch(self, type_state: State) -> None:
        """Have the type published again after this round; one that is none of the types any more is not."""
        if self.types.get(type_state.name) is type_state:
            self._changed[type_state.name] = type_state

    def list_touched(self) -> list[State]:
        """Return the types that will be published next."""
        return list(self._changed.values())

    def publish(self) -> bool:
        """Make the changed types visible to the other threads; tell whether there were any."""
        if not self._changed:
            return False
        changed, self._changed = self._changed, {}
        with self._lock:
            published = dict(self._published)
            for name, state in changed.items():
                if state.is_removed:
                    published.pop(name, None)
                else:
                    published[name] = state.describe()
            self._published = published
        return True

    def read(self) -> Mapping[str, TypeFormation]:
        """Return what was published last; never changed afterwards."""
        with self._lock:
            return self._published

    def list_process_types(self) -> tuple[ProcessType, ...]:
        """Return the types as they are configured now; safe from any thread."""
        return tuple(state.process_type for state in self.types.copy().values() if not state.is_removed)

    def remove(self, type_state: State) -> None:
        """Have no process of the type any more, whatever another thread asks for meanwhile."""
        with self._lock:
            type_state.is_removed = True
            type_state.desired = 0

    def shift_desired(self, type_state: State, by: int) -> None:
        """Take in that somebody else added processes, or took some away."""
        with self._lock:
            type_state.desired = max(0, type_state.desired + by)

    def set_desired(self, desired: Mapping[str, int]) -> dict[str, State]:
        """Say how many processes of each type should run, visible at once; return the types that exist."""
        with self._lock:
            types = {name: state for name, state in self.types.copy().items() if not state.is_removed}
            known = {name: state for name, state in types.items() if name in desired and name in self._published}
            published = dict(self._published)
            for name, state in known.items():
                state.desired = desired[name]
                published[name] = replace(published[name], counts=replace(published[name].counts, desired=desired[name]))
            self._published = published
            return known
