"""One host that processes run on, as the controller knows it now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autoscaler.act.systemd.link import Link
from autoscaler.act.systemd.names import TypeUnits

_MASKED = ("masked", "masked-runtime")


@dataclass(slots=True, eq=False, kw_only=True)
class Host:
    """A host, what was last heard of it, and the link to its systemd."""

    name: str  # an ssh destination; empty: this machine
    weight: float = 1.0
    memory_bytes: int | None = None  # what its processes may take together; None: all there is
    address: str = "127.0.0.1"  # where its processes serve their metrics
    is_up: bool = False
    is_going_down: bool = False
    going_down_at: float = 0.0
    has_been_up: bool = False
    lost_at: float | None = None
    lost_cause: str = ""
    boot: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    free_bytes: int | None = None  # measured
    spare_bytes: int | None = None  # what new processes can have, as it was last worked out
    links: list[Link] = field(default_factory=list)  # one, from the start of the engine on

    @property
    def link(self) -> Link:
        """Return the link to its systemd."""
        return self.links[0]

    @property
    def takes_more(self) -> bool:
        """Tell whether processes may be started there."""
        return self.is_up and not self.is_going_down

    @property
    def place(self) -> str:
        """Name it in a sentence."""
        return self.name or "this machine"

    def is_masked(self, unit: str) -> bool:
        """Tell whether an operator forbade the unit to start."""
        return self.files.get(unit) in _MASKED

    def why_not(self, units: TypeUnits) -> str | None:
        """Say why no process of these units can be started there at all; None when it can."""
        file = units.template
        if file is None or (file in self.files and not self.is_masked(file)):
            return None
        if file in self.files:
            return f"{file} is masked on {self.place}; unmask it there: systemctl unmask {file}"
        return f"there is no {file} on {self.place}; write it with `autoscaler export systemd`, then run systemctl daemon-reload there"

    def has_file(self, units: TypeUnits, number: int) -> bool:
        """Tell whether there is a unit to start for the number, and nobody forbade it."""
        unit = units.unit_of(number)
        return not self.is_masked(unit) and (units.template is not None or unit in self.files)
