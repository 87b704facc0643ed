"""Carry what the children print from their pipes to the writer, line by line."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections import deque
from dataclasses import dataclass, field

from autoscaler.act.event_loop import EventLoop, Timer
from autoscaler.act.local.lines import MAXIMUM_LINE_BYTES, LinePrefixer
from autoscaler.act.local.writer import OutputWriter

_FLUSH_SECONDS = 0.5  # an unfinished line is shown after this
_MOST_FINISHING = 2  # of one name, while nobody takes the output: what further ones printed is dropped
_LAST_READS = 32  # a pipe that somebody else still fills is not read for ever


_LOSS = b"[...] (later output was dropped while nobody read it)\n"


@dataclass(slots=True, eq=False)
class OutputStream:
    """The output pipe of one child."""

    descriptor: int
    name: str
    colour: int
    pipe: tuple[int, int]  # device and inode
    prefixer: LinePrefixer = field(default_factory=LinePrefixer)
    prefix: bytes = b""
    prefix_second: int = -1
    tail_since: float = 0.0
    flush: Timer | None = None
    is_open: bool = True
    is_followed_by_loss: bool = False


class Outputs:
    """All output pipes behind one descriptor, so that back-pressure is one call; belongs to the loop's thread."""

    def __init__(self, loop: EventLoop, writer: OutputWriter, *, has_colour: bool) -> None:
        """Watch an empty set of pipes."""
        self.width = 0
        self._loop = loop
        self._writer = writer
        self._has_colour = has_colour
        self._poll = select.epoll()
        self._streams: dict[int, OutputStream] = {}
        self._finishing: deque[OutputStream] = deque()
        self._is_paused = False
        loop.watch(self._poll.fileno(), self._read_ready)

    def open(self, descriptor: int, name: str, colour: int) -> OutputStream:
        """Take over the reading end of a child's pipe."""
        os.set_blocking(descriptor, False)
        status = os.fstat(descriptor)
        stream = OutputStream(descriptor, name, colour, (status.st_dev, status.st_ino))
        self._streams[descriptor] = stream
        self._poll.register(descriptor, select.EPOLLIN)
        return stream

    def finish(self, stream: OutputStream) -> None:
        """Write what is left in the pipe of a process that is gone, and close it, whoever else holds it."""
        if not stream.is_open:
            return
        kept = [other for other in self._finishing if other.name == stream.name]
        if len(kept) < _MOST_FINISHING:
            self._finishing.append(stream)
            self._finish_waiting()
        else:
            kept[-1].is_followed_by_loss = True
            self._release(stream)

    def resume(self) -> None:
        """Read again after the writer made room."""
        if self._is_paused:
            self._is_paused = False
            self._loop.watch(self._poll.fileno(), self._read_ready)
            self._finish_waiting()

    def write(self, name: str, line: str) -> None:
        """Write one line of our own."""
        prefix = f"{time.strftime('%H:%M:%S', time.localtime(self._loop.wall()))} {name.ljust(self.width)} | "
        self._writer.put(f"{prefix}{line}\n".encode())

    def close(self) -> None:
        """Close every pipe, dropping what nobody took."""
        for stream in list(self._streams.values()):
            self._close(stream)
        if not self._is_paused:
            self._loop.unwatch(self._poll.fileno())
        self._poll.close()

    def _pause(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self._loop.unwatch(self._poll.fileno())

    def _read_ready(self) -> None:
        for descriptor, _ in self._poll.poll(0):
            if self._must_wait():
                return
            stream = self._streams.get(descriptor)
            if stream is not None:
                self._read(stream)

    def _must_wait(self) -> bool:
        """Stop reading while the writer's buffer is full: the children's pipes fill, and they wait."""
        if self._writer.is_full():
            self._pause()
        return self._is_paused

    def _finish_waiting(self) -> None:
        while self._finishing and not self._must_wait():
            stream = self._finishing[0]
            self._read_to_end(stream)
            if not self._is_paused:
                self._close(stream)
                self._finishing.popleft()

    def _read_to_end(self, stream: OutputStream) -> None:
        for _ in range(_LAST_READS):
            if not stream.is_open or self._must_wait() or not self._read(stream):
                return

    def _read(self, stream: OutputStream) -> bool:
        """Pass on one piece; False when there is none now. The end of the stream closes it."""
        try:
            data = os.read(stream.descriptor, MAXIMUM_LINE_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._close(stream)
            return False
        begins = b"\n" in data or not stream.prefixer.has_tail
        self._writer.put(stream.prefixer.feed(data, self._prefix(stream)))
        if begins:
            self._show_tail_later(stream)
        return True

    def _show_tail_later(self, stream: OutputStream) -> None:
        stream.tail_since = self._loop.now()
        if stream.prefixer.has_tail and stream.flush is None:
            stream.flush = self._loop.at(stream.tail_since + _FLUSH_SECONDS, lambda: self._show_tail(stream))

    def _show_tail(self, stream: OutputStream) -> None:
        stream.flush = None
        if not stream.is_open or not stream.prefixer.has_tail:
            return
        due = stream.tail_since + _FLUSH_SECONDS
        if due <= self._loop.now():
            self._writer.put(stream.prefixer.flush(self._prefix(stream)))
        else:
            stream.flush = self._loop.at(due, lambda: self._show_tail(stream))

    def _close(self, stream: OutputStream) -> None:
        if not stream.is_open:
            return
        self._writer.put(stream.prefixer.finish(self._prefix(stream)))
        if stream.is_followed_by_loss:
            self._writer.put(self._prefix(stream) + _LOSS)
        self._release(stream)

    def _release(self, stream: OutputStream) -> None:
        """Close the pipe, dropping what is in it."""
        stream.is_open = False
        with contextlib.suppress(OSError):
            self._poll.unregister(stream.descriptor)
        del self._streams[stream.descriptor]
        os.close(stream.descriptor)

    def _prefix(self, stream: OutputStream) -> bytes:
        """Return ``HH:MM:SS web.1  | ``, made anew once a second."""
        second = int(self._loop.wall())
        if stream.prefix_second != second:
            text = f"{time.strftime('%H:%M:%S', time.localtime(second))} {stream.name.ljust(self.width)} | "
            stream.prefix = (f"\x1b[{stream.colour}m{text}\x1b[0m" if self._has_colour else text).encode()
            stream.prefix_second = second
        return stream.prefix
