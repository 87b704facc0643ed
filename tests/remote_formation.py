"""Drive a backend of an engine elsewhere in a test: tell it counts, and wait for what it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Event

from autoscaler.act.backend import Backend, BackendPlugin
from autoscaler.model import Change, Formation, ProcessType, TypeFormation


def types(*names: str, **fields: object) -> tuple[ProcessType, ...]:
    """Return process types with an interval that leaves a call time to answer."""
    return tuple(ProcessType(name=name, **{"minimum": 0, "maximum": 300, "interval_seconds": 5.0, **fields}) for name in names or ("web", "job"))


@dataclass
class Remote:
    """A backend and all that it told so far."""

    plugin: BackendPlugin
    eventually: Callable[..., object]
    backend: Backend | None = None
    happenings: list[str] = field(default_factory=list)

    def set(self, **keys: object) -> Remote:
        """Change keys of the configuration."""
        self.plugin = replace(self.plugin, **keys)
        return self

    def connect(self, *names: str, **fields: object) -> Remote:
        self.backend = self.plugin.connect(types(*names, **fields), self.backend)
        return self

    def observe(self) -> Formation:
        if self.backend is None:
            self.connect()
        formation = self.backend.observe()
        self.happenings += formation.happenings
        return formation

    def see(self, name: str = "web") -> TypeFormation:
        formation = self.observe()
        assert name in formation.types, formation.errors
        return formation.types[name]

    def error(self, name: str = "web") -> str:
        """Return why a type is not known."""
        return self.observe().errors[name]

    def scale(self, reason: str = "test", loads: Mapping[str, float] | None = None, **targets: int) -> dict[str, str | None]:
        """Return the errors by process type."""
        if self.backend is None:
            self.connect()
        changes = tuple(Change(name, 0, target, reason, loads or {}) for name, target in targets.items())
        return {outcome.process_type: outcome.error for outcome in self.backend.scale(changes)}

    def wait(self, name: str = "web", seconds: float = 10.0, **counts: int) -> TypeFormation:
        """Wait until these counts are observed."""

        def look() -> TypeFormation | None:
            seen = self.observe().types.get(name)
            return seen if seen and all(getattr(seen.counts, key) == value for key, value in counts.items()) else None

        return self.eventually(look, seconds)

    def close(self) -> None:
        if self.backend is not None:
            self.backend.close(Event())


@contextmanager
def remote(plugin: BackendPlugin, eventually: Callable[..., object]) -> Iterator[Remote]:
    """Connect nothing yet; close whatever was connected."""
    made = Remote(plugin, eventually)
    try:
        yield made
    finally:
        made.close()
