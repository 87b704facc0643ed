"""Speak as much HTTP as the demo's web process needs, without the start-up time of a server library."""

from __future__ import annotations

import contextlib
import socket

_LONGEST_HEAD = 16384
_PATIENCE_SECONDS = 2.0


def answer(connection: socket.socket, body: str) -> None:
    """Send a text page and close; a client that is gone loses its page and disturbs nobody."""
    content = body.encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    with connection, contextlib.suppress(OSError):
        connection.sendall(head.encode() + content)


def read_head(connection: socket.socket) -> bytes:
    """Return the request's head, or what came of it before the client fell silent or closed."""
    connection.settimeout(_PATIENCE_SECONDS)
    head = b""
    with contextlib.suppress(OSError):
        while b"\r\n\r\n" not in head and len(head) < _LONGEST_HEAD:
            received = connection.recv(4096)
            if not received:
                break
            head += received
    return head
