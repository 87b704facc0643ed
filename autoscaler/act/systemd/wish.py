"""What the configuration asks of the systemd backend, checked but with nothing opened yet."""

from __future__ import annotations

from dataclasses import dataclass, field

from autoscaler.act.ports import Ports
from autoscaler.model import ProcessType


@dataclass(frozen=True, slots=True, kw_only=True)
class HostWish:
    """A host as the configuration names it; an empty name is this machine."""

    name: str = ""
    weight: float = 1.0
    memory_bytes: int | None = None
    address: str = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the configuration asks for; two that are equal can be served over the same connections."""

    pattern: str
    is_user: bool
    hosts: tuple[HostWish, ...]
    persists: bool
    host_lost_seconds: float
    ssh_config: str | None
    wants_memory: bool
    has_metrics_port: bool
    ports: Ports = field(compare=False)
    process_types: tuple[ProcessType, ...] = field(compare=False)
