"""Write lines to a descriptor without ever waiting for whoever reads it."""

from __future__ import annotations

import os
import queue
import threading
from contextlib import suppress

_MOST_WAITING = 10_000  # lines


class LineWriter:
    """Writes on a thread of its own: a full disk, a closed pipe or a reader that stalls costs lines, never a tick."""

    def __init__(self, descriptor: int) -> None:
        """Take an open descriptor, which stays the caller's."""
        self._descriptor = descriptor
        self._is_closing = False
        self._waiting: queue.Queue[bytes | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def write_line(self, line: str) -> None:
        """Take one line without its end; it is dropped when too many wait already."""
        with suppress(queue.Full):
            self._waiting.put_nowait(line.encode(errors="backslashreplace") + b"\n")

    # The names by which a logger calls what it writes to.
    info = warning = error = write_line

    def close(self, within_seconds: float) -> None:
        """Write what waits, but give up after ``within_seconds``."""
        self._is_closing = True
        with suppress(queue.Full):  # then the thread sees it after the lines that wait
            self._waiting.put_nowait(None)
        self._thread.join(within_seconds)

    def _write_all(self) -> None:
        while (line := self._waiting.get()) is not None:
            with suppress(OSError):
                _write(self._descriptor, line)
            if self._is_closing and self._waiting.empty():
                return


def _write(descriptor: int, line: bytes) -> None:
    while line:
        line = line[os.write(descriptor, line) :]
