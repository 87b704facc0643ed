"""Number the ports of processes: Foreman's formula, base + step x type + process - 1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count, pairwise

from autoscaler.model import ProcessType

HIGHEST_PORT = 65535
_STEPS = (100, 50, 20, 10, 5, 2, 1)  # 100 is Foreman's; smaller ones only where 100 leads too far


@dataclass(frozen=True, slots=True)
class Ports:
    """Where PORT and METRICS_PORT of every process lie."""

    port: int
    metrics_port: int
    step: int = _STEPS[0]

    def port_of(self, index: int, number: int) -> int:
        """Return PORT of process ``number`` (from 1) of the type at ``index`` (from 0)."""
        return self.port + self.step * index + number - 1

    def metrics_port_of(self, index: int, number: int) -> int:
        """Return METRICS_PORT of process ``number`` (from 1) of the type at ``index`` (from 0)."""
        return self.metrics_port + self.step * index + number - 1

    def room(self, process_type: ProcessType, index: int) -> int:
        """Count the numbers the type at ``index`` can have at once, draining ones included, before it meets the ports of others."""
        ends = min(HIGHEST_PORT + 1 - max(self.port, self.metrics_port), abs(self.metrics_port - self.port))
        return min(self.step * self.blocks(process_type), ends - self.step * index)

    def blocks(self, process_type: ProcessType) -> int:
        """Count the steps the type takes up; more than one only for the last of the configuration."""
        return max(1, -(-process_type.maximum // self.step))

    def reach(self, process_types: tuple[ProcessType, ...]) -> int:
        """Count the ports from the first of the first type to the last of the last type."""
        return self.step * (len(process_types) - 1) + max(process_types[-1].maximum, 1) if process_types else 0


def lay_out_ports(port: int, metrics_port: int, process_types: tuple[ProcessType, ...]) -> Ports:
    """Choose the largest step with which all ports exist and PORT never meets METRICS_PORT; 100 when none does."""
    layouts = [Ports(port, metrics_port, step) for step in _STEPS]
    return next((layout for layout in layouts if not _find_overrun(layout, process_types)), layouts[0])


def place_types(ports: Ports, process_types: tuple[ProcessType, ...], known: Mapping[str, int]) -> dict[str, int]:
    """Map each type to its index: the known one where that fits, so that its ports stay over a reload, else the first free one."""
    placed: dict[str, int] = {}
    taken: set[int] = set()
    for each in sorted(process_types, key=lambda process_type: process_type.name not in known):
        blocks = ports.blocks(each)
        indices = chain((known.get(each.name, 0),), count())
        placed[each.name] = next(index for index in indices if taken.isdisjoint(range(index, index + blocks)))
        taken.update(range(placed[each.name], placed[each.name] + blocks))
    fits = all(ports.room(each, placed[each.name]) >= each.maximum for each in process_types)
    return placed if fits or not known else place_types(ports, process_types, {})


def find_port_mistakes(ports: Ports, process_types: tuple[ProcessType, ...]) -> Iterator[tuple[str, str]]:
    """Yield (process type, sentence) for maxima that run into the next type and for ports that do not exist."""
    for this, following in pairwise(process_types):
        if this.maximum > ports.step:
            overlap = f"{this.name} max {this.maximum} > port step {ports.step}: overlaps {following.name}.1"
            yield this.name, f"{overlap}; lower its maximum, or make it the last process type"
    overrun = _find_overrun(ports, process_types)
    if overrun:
        yield process_types[-1].name, overrun


def _find_overrun(ports: Ports, process_types: tuple[ProcessType, ...]) -> str | None:
    """Say why these ports do not fit below 65536 or beside each other; None when they do."""
    reach = ports.reach(process_types)
    for key, first in (("port", ports.port), ("metrics_port", ports.metrics_port)):
        last = first + reach - 1
        if last > HIGHEST_PORT:
            return f"{key} {first} leads to port {last} for the last process, above {HIGHEST_PORT}; lower {key} or the maximum"
    if abs(ports.metrics_port - ports.port) < reach:
        return f"port {ports.port} and metrics_port {ports.metrics_port} overlap, each needs {reach} ports; set them further apart"
    return None
