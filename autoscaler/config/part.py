"""A value of the file on its way to become settings."""

from __future__ import annotations

from dataclasses import dataclass, replace

from autoscaler.config.places import KeyPath
from autoscaler.config.plugins import Registry
from autoscaler.config.readers import Surroundings
from autoscaler.config.report import Report


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
