"""Make the environment of a child process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MARKER = "AUTOSCALER_PROCESS"  # tells in /proc/PID/environ whose process this is, however far it wandered

# They address the controller itself; a child that believed them would speak for it.
_ADDRESSED_TO_THE_CONTROLLER = frozenset(
    {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What one start of one process is told about itself."""

    name: str  # web.1
    port: int
    metrics_port: int
    marker: str
    notify_socket: str | None = None


def make_environment(inherited: Mapping[str, str], own: Mapping[str, str], identity: Identity) -> dict[str, str]:
    """Return the controller's environment with the type's own and, last, what only this process has.

    A controller that is itself a child of a controller keeps the outer marker in front of its own.
    """
    environment = {key: value for key, value in inherited.items() if key not in _ADDRESSED_TO_THE_CONTROLLER}
    environment.setdefault("PYTHONUNBUFFERED", "1")
    environment.update(own)
    environment["PS"] = identity.name
    environment["PORT"] = str(identity.port)
    environment["METRICS_PORT"] = str(identity.metrics_port)
    environment[MARKER] = f"{inherited.get(MARKER, '')} {identity.marker}".lstrip()
    if identity.notify_socket:
        environment["NOTIFY_SOCKET"] = identity.notify_socket
    return environment
