"""Append whole lines to a file, a pipe or a terminal that may be full, closed or not read."""

from __future__ import annotations

import errno
import os
import select
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path

_PATIENCE_SECONDS = 0.5  # how long a slow reader may keep a tick waiting
_PIPE_CHUNK = 4096  # a pipe that polls writable takes as much without blocking


class Output:
    """Where the record goes.

    After an error a file ends in a whole line, and a pipe that took a part of a line gets the rest of it first next time.
    """

    def __init__(self, path: str | None) -> None:
        """Open a file to append to, or take standard output for ``None``; raise ``OSError`` when that cannot be."""
        self._descriptor = sys.stdout.fileno() if path is None else _open(path)
        self._is_owned = path is not None
        status = os.fstat(self._descriptor)
        self._is_file = stat.S_ISREG(status.st_mode)
        self.is_fresh = not self._is_file or status.st_size == 0
        self._rest = b"" if path is None or self.is_fresh or _ends_whole(path) else b"\n"
        self._is_stalled = False

    def append(self, lines: bytes) -> None:
        """Write whole lines; raise ``OSError`` when not all of them were taken."""
        data = self._rest + lines
        deadline = time.monotonic() + _PATIENCE_SECONDS
        written = 0
        try:
            while written < len(data):
                written += self._write(memoryview(data)[written:], deadline)
        except OSError:
            self._keep_whole(data, written)
            raise
        self._rest = b""

    def close(self) -> None:
        """Let go of a file; standard output stays open."""
        if self._is_owned:
            os.close(self._descriptor)
            self._is_owned = False
            self._descriptor = -1  # its number may soon be another file's

    def _write(self, data: memoryview, deadline: float) -> int:
        if self._is_file:
            return os.write(self._descriptor, data)
        writable = select.poll()
        writable.register(self._descriptor, select.POLLOUT)
        patience = 0.0 if self._is_stalled else max(0.0, deadline - time.monotonic())
        self._is_stalled = not writable.poll(patience * 1000)
        if self._is_stalled:
            raise BlockingIOError(errno.EAGAIN, "its reader does not keep up")
        return os.write(self._descriptor, data[:_PIPE_CHUNK])

    def _keep_whole(self, data: bytes, written: int) -> None:
        if written == 0:
            return
        whole = data.rfind(b"\n", 0, written) + 1
        self._rest = b"" if whole == written else data[written : data.index(b"\n", written) + 1]
        if self._rest and self._is_file:
            with suppress(OSError):  # an append-only file cannot be cut: it gets the rest of the line like a pipe
                os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - (written - whole))
                self._rest = b""


def _open(path: str) -> int:
    # Not blocking, so that a named pipe without a reader is an error and no standstill.
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY, 0o644)


def _ends_whole(path: str) -> bool:
    with Path(path).open("rb") as written:
        written.seek(-1, os.SEEK_END)
        return written.read() == b"\n"
