"""Put a prefix before every line of a byte stream that arrives in pieces."""

from __future__ import annotations

MAXIMUM_LINE_BYTES = 65536
MARK = b" [...]"  # ends what is not a whole line: it goes on in the next one


class LinePrefixer:
    """Holds the unfinished last line of one stream. Bytes pass unchanged, whatever their encoding."""

    def __init__(self) -> None:
        """Begin at the start of a line."""
        self._tail = b""
        self._is_marked = False

    @property
    def has_tail(self) -> bool:
        """Tell whether a line has begun and not ended."""
        return bool(self._tail)

    def feed(self, data: bytes, prefix: bytes) -> bytes:
        """Return all whole lines, each behind the prefix; ``data`` is at most ``MAXIMUM_LINE_BYTES`` long."""
        if self._is_marked and data.startswith(b"\n"):
            data = data[1:]  # it ends the line that was shown already
        self._is_marked = False
        text = self._tail + data
        parts: list[bytes] = []
        while _first_line_length(text) > MAXIMUM_LINE_BYTES:
            parts += [prefix, text[:MAXIMUM_LINE_BYTES], MARK, b"\n"]
            text = text[MAXIMUM_LINE_BYTES:]
        end = text.rfind(b"\n")
        self._tail = text[end + 1 :]
        if end >= 0:
            parts += [prefix, text[:end].replace(b"\n", b"\n" + prefix), b"\n"]
        return b"".join(parts)

    def flush(self, prefix: bytes) -> bytes:
        """Return the unfinished line, marked, so that a prompt is seen."""
        tail, self._tail = self._tail, b""
        self._is_marked = self._is_marked or bool(tail)
        return prefix + tail + MARK + b"\n" if tail else b""

    def finish(self, prefix: bytes) -> bytes:
        """Return the last line of a stream that ended without a newline."""
        tail, self._tail = self._tail, b""
        return prefix + tail + b"\n" if tail else b""


def _first_line_length(text: bytes) -> int:
    """Measure up to the first newline, or everything when there is none."""
    end = text.find(b"\n")
    return len(text) if end < 0 else end
