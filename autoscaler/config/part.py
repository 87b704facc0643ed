"""A value of the file on its way to become settings."""

from __future__ import annotations

from dataclasses import dataclass, replace

from autoscaler.config.places import KeyPath
from autoscaler.config.plugins import Registry
from autoscaler.config.readers import Surroundings
from autoscaler.config.report import Report
from autoscaler.config.substitution import Substituted


@dataclass(frozen=True, slots=True)
class Part:
    """A value, where it stands, and all that is needed to read it."""

    path: KeyPath
    data: object
    report: Report
    registry: Registry
    surroundings: Surroundings

    def at(self, key: str | int, data: object) -> Part:
        """Go one level down, to the value of a key or an item of a list."""
        return replace(self, path=(*self.path, key), data=data)

    def holding(self, data: object) -> Part:
        """Stay where it is, with other data."""
        return replace(self, data=data)

    def under(self, key: str | int) -> Part:
        """Go one level down, to whatever the file has there."""
        return self.at(key, self.data.get(key) if isinstance(self.data, dict) else None)

    def shown(self, key: str, value: object) -> str:
        """Write the value of a key for an error; one that came from the environment stays ``${NAME}``."""
        said = self.under(key).data
        return said.written if isinstance(said, Substituted) else str(value)
