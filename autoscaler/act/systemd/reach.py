"""Say how one systemd is reached: by a bus of this machine or by ssh."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from autoscaler.model import AutoscalerError

_SYSTEM_BUS = "/run/dbus/system_bus_socket"
_SSH_OPTIONS = (
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "ConnectTimeout=10",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "PermitLocalCommand=no",
)
_USER_BUS_THERE = ' -p "unix:path=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/bus"'
# Only the shell of this loop and its grep hold the error pipe, so that the connection ends with the bridge and not 10 s later.
_MEMORY_LOOP = "while grep MemAvailable: /proc/meminfo >&2; do sleep 10 2>/dev/null; done >/dev/null & "


class UnreachableError(AutoscalerError):
    """A systemd cannot be reached, for a reason that the operator can mend."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The way to one systemd: of this machine, or of a host over ssh; the system's or the user's manager."""

    host: str | None = None  # an ssh destination; none: this machine
    is_user: bool = False
    ssh_config: str | None = None  # read instead of the user's and the system's own
    wants_memory: bool = False  # of the host, every 10 s; this machine's is read without a connection

    @property
    def place(self) -> str:
        """Name the machine in a sentence."""
        return self.host or "this machine"

    def ssh_command(self) -> list[str]:
        """Return the command that carries the bus of the host on its standard input and output."""
        config = ["-F", self.ssh_config] if self.ssh_config else []
        options = [part for option in _SSH_OPTIONS for part in ("-o", option)]
        # A shared connection would bring its own options: this one lives and dies alone.
        return ["ssh", *config, "-xT", "-S", "none", *options, "--", self.host or "", self._command_there()]

    def bus_path(self, environment: Mapping[str, str] = os.environ) -> str:
        """Return the path of the bus of this machine; raises UnreachableError when the environment does not tell it."""
        return _user_bus(environment) if self.is_user else _system_bus(environment)

    def _command_there(self) -> str:
        bridge = f"systemd-stdio-bridge{_USER_BUS_THERE if self.is_user else ''}"
        script = f"{_MEMORY_LOOP}{bridge}; status=$?; kill $!; exit $status" if self.wants_memory else f"exec {bridge}"
        return f"exec sh -c '{script}'"


def _user_bus(environment: Mapping[str, str]) -> str:
    folder = environment.get("XDG_RUNTIME_DIR")
    if not folder:
        raise UnreachableError(
            f"XDG_RUNTIME_DIR is not set, so the bus of the user's systemd is not known; log in as that user or set it to /run/user/{os.geteuid()}"
        )
    return f"{folder}/bus"


def _system_bus(environment: Mapping[str, str]) -> str:
    address = environment.get("DBUS_SYSTEM_BUS_ADDRESS")
    if not address:
        return _SYSTEM_BUS
    for each in address.split(";"):
        transport, _, options = each.partition(":")
        for option in options.split(","):
            if transport == "unix" and option.startswith("path="):
                return unquote(option.removeprefix("path="))
    raise UnreachableError(f"DBUS_SYSTEM_BUS_ADDRESS is {address}, and only unix:path=... is understood; unset it or name the path of a socket")
