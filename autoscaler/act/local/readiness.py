"""Find out when a started process is ready for work."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from autoscaler.act.local.ground import Ground
from autoscaler.act.local.slots import Run

_LIVED_SECONDS = 1.0
_FIRST_PROBE_SECONDS = 0.02
_LONGEST_PROBE_SECONDS = 0.25
_PROBE_GROWTH = 1.5
_MESSAGE_BYTES = 4096
_UNDER_WAY = frozenset({errno.EINPROGRESS, errno.EALREADY})
_CONNECTED = frozenset({0, errno.EISCONN})
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid


class Readiness:
    """Watches starting processes, by the rule of their type; belongs to the loop's thread."""

    def __init__(self, ground: Ground, ready: Callable[[Run], None]) -> None:
        """Call ``ready`` once for each process that is."""
        self._loop = ground.loop
        self._tell = ground.happenings.tell
        self._ready = ready
        self._name = f"autoscaler/ready/{ground.token}"
        self._sockets: dict[int, socket.socket] = {}  # to be notified at, by serial
        self._probes: dict[int, _PortProbe] = {}  # by serial

    def open_notify_socket(self, serial: int) -> str:
        """Return NOTIFY_SOCKET of one start, open until ``forget``; raise ``OSError`` when it cannot be."""
        name = f"{self._name}/{serial}"
        with ExitStack() as opened:
            notified = opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK))
            notified.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            notified.bind(b"\0" + name.encode())
            opened.pop_all()
        self._sockets[serial] = notified
        return f"@{name}"

    def watch(self, run: Run) -> None:
        """Wait until the process is ready."""
        kind = run.process_type.ready
        if kind == "notify":
            notified = self._sockets[run.serial]
            self._loop.watch(notified.fileno(), lambda: self._receive(run, notified))
        elif kind == "port":
            self._probes[run.serial] = _PortProbe(run.slot.port)
            self._probe(run, _FIRST_PROBE_SECONDS)
        else:
            after = run.process_type.startup_seconds or _LIVED_SECONDS
            run.timers.append(self._loop.at(run.started_at + after, lambda: self._ready(run)))

    def forget(self, serial: int) -> None:
        """Stop waiting for a start; harmless when nothing is waited for."""
        probe = self._probes.pop(serial, None)
        if probe is not None:
            probe.close()
        notified = self._sockets.pop(serial, None)
        if notified is not None:
            with contextlib.suppress(KeyError):  # its process was not started
                self._loop.unwatch(notified.fileno())
            notified.close()

    def close(self) -> None:
        """Wait for nothing any more."""
        for serial in [*self._probes, *self._sockets]:
            self.forget(serial)

    def _probe(self, run: Run, pause_seconds: float) -> None:
        probe = self._probes.get(run.serial)
        if probe is None:
            return
        if self._try(probe, run):
            self.forget(run.serial)
            self._ready(run)
        else:
            longer = min(pause_seconds * _PROBE_GROWTH, _LONGEST_PROBE_SECONDS)
            self._loop.at(self._loop.now() + pause_seconds, lambda: self._probe(run, longer))

    def _try(self, probe: _PortProbe, run: Run) -> bool:
        try:
            return probe.is_answered()
        except OSError as error:
            if not probe.is_told:
                self._tell(f"{run.slot.name}: its port cannot be tried: {error.strerror}; it is tried again")
            probe.is_told = True
            return False

    def _receive(self, run: Run, notified: socket.socket) -> None:
        """Take one notification; believe it from this user, and from who changed to another one within the child's session."""
        try:
            message, ancillary, _, _ = notified.recvmsg(_MESSAGE_BYTES, socket.CMSG_SPACE(_CREDENTIALS.size))
        except OSError:
            return
        if run.ready_at is None and b"READY=1" in message.split(b"\n") and _is_believed(run, ancillary):
            self._ready(run)


def _is_believed(run: Run, ancillary: list[tuple[int, int, bytes]]) -> bool:
    """Judge by the sender as the kernel names it; its process may be gone already."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
            pid, uid, _ = _CREDENTIALS.unpack(data)
            with contextlib.suppress(OSError):
                return uid == os.getuid() or os.getsid(pid) == run.pid
    return False


@dataclass(slots=True, eq=False)
class _PortProbe:
    """Tries to connect to a port of this machine without waiting."""

    port: int
    is_told: bool = False  # that it could not even be tried
    _client: socket.socket | None = None

    def is_answered(self) -> bool:
        """Try once, or see what became of the last try."""
        client = self._client or socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._client = client
        code = client.connect_ex(("127.0.0.1", self.port))
        if code in _UNDER_WAY:
            return False
        # A client that was given the very port it asks for is connected to itself.
        is_answered = code in _CONNECTED and client.getpeername() != client.getsockname()
        self.close()
        return is_answered

    def close(self) -> None:
        """End the try."""
        if self._client is not None:
            self._client.close()
            self._client = None
