"""Find TCP ports of loopback that nobody uses now."""

from __future__ import annotations

import os
import socket
from itertools import chain

_HOST = "127.0.0.1"
_FIRST, _LAST = 10240, 32000  # below the ports that the kernel hands out by itself
_STRIDE = 512


def find_free_port() -> int:
    """Return one port that nobody uses now."""
    with socket.create_server((_HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def find_free_ports(count: int) -> int:
    """Return the first of ``count`` ports in a row; raise ``OSError`` when there is no such row."""
    candidates = range(_FIRST, _LAST - count, _STRIDE)
    # Demos that begin side by side look in different places, because their process numbers differ.
    turn = os.getpid() % len(candidates)
    for first in chain(candidates[turn:], candidates[:turn]):
        if all(_is_free(port) for port in range(first, first + count)):
            return first
    raise OSError(f"no {count} free ports in a row between {_FIRST} and {_LAST}")


def _is_free(port: int) -> bool:
    try:
        socket.create_server((_HOST, port)).close()
    except OSError:
        return False
    return True
