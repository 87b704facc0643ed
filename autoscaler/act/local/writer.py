"""Write the children's output without ever making the supervisor wait."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import stat
from collections import deque
from collections.abc import Callable
from threading import Condition, Thread

_BUFFER_BYTES = 1 << 20
_PASSING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})  # the output may come back
_POLL_MILLISECONDS = 50  # how soon a writer whose output is stuck sees that it should end
_STUCK_SECONDS = 0.5  # a terminal that polls as writable can hold a write for ever all the same


class OutputWriter:
    """A thread behind a bounded buffer. ``put`` and ``is_full`` are called by the supervisor, the two callbacks by the thread."""

    def __init__(self, descriptor: int, tell: Callable[[str], None], room: Callable[[], None]) -> None:
        """Write to a copy of ``descriptor``; ``tell`` gets a sentence on trouble, ``room`` is called when a full buffer has emptied."""
        self._tell = tell
        self._room = room
        self._descriptor = _copy(descriptor)
        self._is_broken = self._descriptor is None
        self._is_troubled = False
        self._is_closing = False
        self._is_waited_for = False
        self._buffer: deque[bytes] = deque()
        self._buffered_bytes = 0
        self._changed = Condition()
        self._thread = Thread(target=self._run, name="autoscaler-output", daemon=True)
        if self._is_broken:
            tell("the output of the processes is dropped: there is no output to write it to")

    @property
    def has_colour(self) -> bool:
        """Tell whether a person reads this output directly and has nothing against colours (NO_COLOR)."""
        is_wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return is_wanted and self._descriptor is not None and os.isatty(self._descriptor)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, data: bytes) -> None:
        """Hand over output; it is dropped once the output is gone."""
        with self._changed:
            if data and not self._is_broken:
                self._buffer.append(data)
                self._buffered_bytes += len(data)
                self._changed.notify()

    def is_full(self) -> bool:
        """Tell whether to stop reading from the children; if so, ``room`` is called later."""
        with self._changed:
            self._is_waited_for = self._buffered_bytes >= _BUFFER_BYTES
            return self._is_waited_for

    def close(self, timeout_seconds: float) -> None:
        """Write what is left, for at most this long, and end the thread; one that a stopped terminal holds is left to the end of the program."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
            self._is_broken = True
            self._thread.join(_STUCK_SECONDS)
        if self._descriptor is not None and not self._thread.is_alive():
            os.close(self._descriptor)
            self._descriptor = None

    def _run(self) -> None:
        while (batch := self._take()) is not None:
            self._write(batch)
            self._make_room()

    def _take(self) -> bytes | None:
        """Wait for output; None when closing and all is written."""
        with self._changed:
            self._changed.wait_for(lambda: self._buffer or self._is_closing)
            batch = b"".join(self._buffer)
            self._buffer.clear()
            return batch or None

    def _make_room(self) -> None:
        with self._changed:
            self._buffered_bytes = sum(map(len, self._buffer))
            calls = self._is_waited_for and self._buffered_bytes < _BUFFER_BYTES
            self._is_waited_for = self._is_waited_for and not calls
        if calls:
            self._room()

    def _write(self, batch: bytes) -> None:
        """Write one batch, or drop the rest of it when the output fails."""
        if self._descriptor is None:
            return
        try:
            self._write_all(self._descriptor, memoryview(batch))
        except OSError as error:
            self._report(error)
        else:
            self._is_troubled = False

    def _write_all(self, descriptor: int, left: memoryview) -> None:
        # A pipe that polls as writable takes this much without blocking, so that a stuck reader cannot hold the thread.
        most = len(left) if stat.S_ISREG(os.fstat(descriptor).st_mode) else select.PIPE_BUF
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        while left and not self._is_broken:
            if poll.poll(_POLL_MILLISECONDS):
                with contextlib.suppress(BlockingIOError):
                    left = left[os.write(descriptor, left[:most]) :]

    def _report(self, error: OSError) -> None:
        """Say once what became of the output."""
        if error.errno not in _PASSING:
            self._is_broken = True
        if not self._is_troubled:
            self._tell(f"the output of the processes is dropped: {error.strerror}; the processes run on")
        self._is_troubled = True


def _copy(descriptor: int) -> int | None:
    """Duplicate the descriptor, so that nobody closes it under the writer; None when it is not open."""
    try:
        return os.dup(descriptor)
    except OSError:
        return None
