"""Carry bytes to and from one bus without blocking."""

from __future__ import annotations

import os
import re
import selectors
import signal
import socket
import subprocess
from collections import deque
from contextlib import suppress
from typing import Protocol

from autoscaler.act.event_loop import EventLoop
from autoscaler.act.systemd.causes import explain_socket, explain_ssh
from autoscaler.act.systemd.reach import Reach, UnreachableError

_READ_BYTES = 65536
_MOST_UNSENT_BYTES = 4 << 20  # whoever takes nothing for so long is gone
_LINES_KEPT = 20
_LINE_BYTES = 500
_REAP_SECONDS = 1.0
_LAST_WORDS_SECONDS = 0.5
_POLL_SECONDS = 0.02
_MEMORY = re.compile(rb"MemAvailable:\s+(\d{1,15}) kB\s*")


class Receiver(Protocol):
    """Whoever takes what comes through a channel; called from the loop, and never after the channel was closed."""

    def received(self, data: bytes) -> None:
        """Take the next bytes."""

    def free_memory(self, free_bytes: int) -> None:
        """Take in how much memory the host has free."""

    def ended(self, cause: str) -> None:
        """Take in that nothing comes any more, and why."""


class Channel:
    """A socket, or the pipes of an ssh: reads what comes, keeps what cannot be written yet."""

    def __init__(self, loop: EventLoop, reach: Reach, receiver: Receiver) -> None:
        """Begin to connect; raises UnreachableError when that fails at once."""
        self._loop = loop
        self._reach = reach
        self._receiver = receiver
        self._unsent = bytearray()
        self._is_writing = False
        self._is_closed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._complaints: _Complaints | None = None
        self._reading, self._writing = self._connect() if reach.host is None else self._spawn()
        loop.watch(self._reading, self._read)

    def send(self, data: bytes) -> None:
        """Write the data, now or as soon as there is room; a failure comes as ``ended``."""
        if self._is_closed:
            return
        self._unsent += data
        if not self._is_writing:
            self._write()

    def close(self) -> None:
        """Close everything and end the ssh; nothing is called afterwards."""
        if self._is_closed:
            return
        self._is_closed = True
        for descriptor in (self._reading, self._writing):
            self._loop.unwatch(descriptor)
            os.close(descriptor)
        if self._complaints is not None:
            self._complaints.close()
        self._end_process()

    def _connect(self) -> tuple[int, int]:
        path = self._reach.bus_path()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as bus:
            try:
                bus.connect(path)
            except OSError as error:
                raise UnreachableError(explain_socket(self._reach, path, error)) from error
            # Two descriptors of one socket: the loop watches reading and writing apart, as with pipes.
            return os.dup(bus.fileno()), bus.detach()

    def _spawn(self) -> tuple[int, int]:
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(self._reach.ssh_command(), stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, process_group=0)  # noqa: S603
        except FileNotFoundError as error:
            raise UnreachableError("there is no ssh here; install the package openssh-client") from error
        self._process = process
        reading, writing, complaining = (_own(file) for file in (process.stdout, process.stdin, process.stderr))
        self._complaints = _Complaints(self._loop, complaining, self._receiver)
        return reading, writing

    def _read(self) -> None:
        try:
            data = os.read(self._reading, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(f"the connection to {self._reach.place} broke: {error.strerror}")
            return
        if data:
            self._receiver.received(data)
        elif self._process is None:
            self._end(f"the bus of {self._reach.place} closed the connection")
        else:
            self._loop.unwatch(self._reading)
            self._end_with_process(self._process, self._loop.now() + _LAST_WORDS_SECONDS)

    def _end_with_process(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        """End once ssh has, so that its last words are in the pipe."""
        now = self._loop.now()
        if process.poll() is None and now < deadline and not self._is_closed:
            self._loop.at(now + _POLL_SECONDS, lambda: self._end_with_process(process, deadline))
        else:
            self._end(f"the connection to {self._reach.place} was closed")

    def _write(self) -> None:
        try:
            del self._unsent[: os.write(self._writing, self._unsent)]
        except BlockingIOError:
            pass
        except OSError as error:
            # The reader finds out by itself, with what ssh had to say; a socket that only refuses writing has no other witness.
            self._unsent.clear()
            if self._process is None:
                self._end_later(f"the connection to {self._reach.place} broke: {error.strerror}")
        if len(self._unsent) > _MOST_UNSENT_BYTES:
            self._end_later(f"{self._reach.place} takes nothing any more")
        self._watch_writing(is_needed=bool(self._unsent))

    def _watch_writing(self, *, is_needed: bool) -> None:
        if is_needed and not self._is_writing:
            self._loop.watch(self._writing, self._write, selectors.EVENT_WRITE)
        elif self._is_writing and not is_needed:
            self._loop.unwatch(self._writing)
        self._is_writing = is_needed

    def _end_later(self, cause: str) -> None:
        self._loop.at(self._loop.now(), lambda: self._end(cause))

    def _end(self, cause: str) -> None:
        if self._is_closed:
            return
        printed = self._complaints.all() if self._complaints is not None else []
        self.close()
        self._receiver.ended(explain_ssh(self._reach.place, printed) or cause)

    def _end_process(self) -> None:
        """Kill the ssh with what it started, such as a ProxyCommand, and reap it."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_REAP_SECONDS)


class _Complaints:
    """The last lines that an ssh wrote to its standard error; the lines on free memory among them go to the receiver."""

    def __init__(self, loop: EventLoop, descriptor: int, receiver: Receiver) -> None:
        self._loop = loop
        self._descriptor = descriptor
        self._receiver = receiver
        self._lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self._tail = b""
        loop.watch(descriptor, self._read)

    def all(self) -> list[str]:
        """Return the last lines, with what is still in the pipe."""
        with suppress(BlockingIOError):
            self._take(os.read(self._descriptor, _READ_BYTES) + b"\n")
        return list(self._lines)

    def close(self) -> None:
        self._loop.unwatch(self._descriptor)
        os.close(self._descriptor)

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._loop.unwatch(self._descriptor)
        self._take(data)

    def _take(self, data: bytes) -> None:
        *lines, self._tail = (self._tail + data).split(b"\n")
        self._tail = self._tail[:_LINE_BYTES]
        for line in lines:
            if memory := _MEMORY.fullmatch(line):
                self._receiver.free_memory(int(memory[1]) * 1024)
            elif line.strip():
                self._lines.append(line[:_LINE_BYTES].decode(errors="replace").strip())


def _own(file: object) -> int:
    """Take over the descriptor of a pipe from the file object that Popen made, so that one owner closes it."""
    descriptor = os.dup(file.fileno())  # type: ignore[attr-defined]
    file.close()  # type: ignore[attr-defined]
    os.set_blocking(descriptor, False)
    return descriptor
