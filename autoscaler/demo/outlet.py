"""Write the demo's output without ever holding up the formation for whoever reads it."""

from __future__ import annotations

import io
import os
import queue
import threading
from collections.abc import Callable

_MOST_WAITING = 10_000  # pieces of text


class Outlet(io.TextIOBase):
    """A text file on a descriptor, written on a thread of its own; ``lost`` is called once when its reader is gone."""

    def __init__(self, descriptor: int, encoding: str, lost: Callable[[], None]) -> None:
        """Take an open descriptor, which stays the caller's."""
        super().__init__()
        self._descriptor, self._encoding, self._lost = descriptor, encoding, lost
        self._waiting: queue.Queue[bytes | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._write_all, name="demo-output", daemon=True)
        self._thread.start()

    @property
    def encoding(self) -> str:  # type: ignore[override] # typeshed has a plain attribute; it is read-only in fact
        """Name the encoding of the text."""
        return self._encoding

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        return os.isatty(self._descriptor)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def writable(self) -> bool:
        """Say that this file is for writing."""
        return True

    def write(self, text: str) -> int:
        """Take text; it is dropped when too much waits already."""
        if not self._waiting.full():
            self._waiting.put(text.encode(self._encoding, errors="replace"))
        return len(text)

    def finish(self, within_seconds: float) -> None:
        """Write what waits, but give up after ``within_seconds``."""
        if not self._waiting.full():
            self._waiting.put(None)
        self._thread.join(within_seconds)

    def _write_all(self) -> None:
        try:
            while (content := self._waiting.get()) is not None:
                while content:
                    content = content[os.write(self._descriptor, content) :]
        except OSError:
            self._lost()
