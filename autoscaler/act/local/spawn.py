"""Start a command as the leader of a session of its own."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autoscaler.act.local.server_command import add_exec

_SHELL = "/bin/sh"
# The socket comes in as standard input, the one descriptor Popen can place, and moves to 3, where systemd's protocol has the
# first one. The protocol also wants the child's own pid, which only the child knows: each exec keeps it, so the command must end
# in an exec of its server too. A simple command gets one; where the shell has more to do, the user must write it.
_HAND_OVER = 'exec 3<&0 </dev/null; export LISTEN_PID=$$ LISTEN_FDS=1; exec /bin/sh -c "$1"'


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start, where and with what."""

    command: str
    folder: Path
    environment: Mapping[str, str]
    listener: socket.socket | None = None


@dataclass(frozen=True, slots=True)
class Child:
    """A started child: its process, a descriptor that becomes readable when it ends, and the reading end of its output."""

    process: subprocess.Popen[bytes]
    pidfd: int
    output: int


def spawn(launch: Launch) -> Child:
    """Start the command through ``sh``, standard output and error in one pipe; raise ``OSError`` or ``ValueError`` when it cannot be started."""
    output, writing = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603 - running the user's own commands is what a Procfile is for
            _arguments(launch),
            stdin=launch.listener.fileno() if launch.listener else subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            cwd=launch.folder,
            env=launch.environment,
            start_new_session=True,
        )
    except (OSError, ValueError):
        os.close(output)
        raise
    finally:
        os.close(writing)
    try:
        return Child(process, os.pidfd_open(process.pid), output)
    except OSError:  # out of descriptors: a child that cannot be watched must not live
        os.close(output)
        process.kill()
        process.wait()
        raise


def _arguments(launch: Launch) -> list[str]:
    if launch.listener is None:
        return [_SHELL, "-c", launch.command]
    return [_SHELL, "-c", _HAND_OVER, "sh", add_exec(launch.command) or launch.command]
