"""Open the listening sockets that the processes of a type share, and keep off occupied ports."""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Iterable
from contextlib import ExitStack
from threading import Lock

from autoscaler.act.backend import BackendError
from autoscaler.model import Address, ProcessType

_BACKLOG = 1024  # connections wait here while no process of the type runs
_FIXES = {
    errno.EADDRINUSE: "is in use by another program; end it, or choose another port",
    errno.EACCES: "is not allowed to this user; choose a port above 1023",
    errno.EADDRNOTAVAIL: "is not an address of this machine; choose one that is",
}


class Listeners:
    """The listening sockets of the formation by address, so that whichever type has an address keeps its socket; safe from any thread."""

    def __init__(self) -> None:
        """Begin with none."""
        self._sockets: dict[tuple[str, str], socket.socket] = {}
        self._wanted: set[tuple[str, str]] = set()
        self._lock = Lock()

    def want(self, process_types: Iterable[ProcessType]) -> None:
        """Open what these types share and is not open yet; raise ``BackendError`` with everything as it was."""
        shared = {_key(each): each for each in process_types if each.socket == "shared"}
        with self._lock, ExitStack() as opened:
            new = {key: opened.enter_context(open_listener(each)) for key, each in shared.items() if key not in self._sockets}
            opened.pop_all()
            self._sockets.update(new)
            self._wanted = set(shared)

    def of(self, process_type: ProcessType) -> socket.socket | None:
        """Return the socket the type shares; None when it shares none."""
        with self._lock:
            return self._sockets[_key(process_type)] if process_type.socket == "shared" else None

    def has_caller(self, process_type: ProcessType) -> bool:
        """Tell whether a connection waits at the socket the type shares."""
        with self._lock:  # nobody closes it meanwhile
            listener = self._sockets.get(_key(process_type)) if process_type.socket == "shared" else None
            return listener is not None and has_connection(listener)

    def take_unused(self, process_types: Iterable[ProcessType]) -> list[socket.socket]:
        """Give away, for the caller to close, what neither is wanted nor belongs to one of these."""
        with self._lock:
            kept = self._wanted.union(_key(each) for each in process_types if each.socket == "shared")
            return [self._sockets.pop(key) for key in self._sockets.keys() - kept]

    def close(self) -> None:
        """Close them all."""
        with self._lock:
            while self._sockets:
                self._sockets.popitem()[1].close()


def _key(process_type: ProcessType) -> tuple[str, str]:
    """Name an address; port 0 is another port for each type."""
    has_port = process_type.listen is not None and process_type.listen.port > 0
    return str(process_type.listen), "" if has_port else process_type.name


def has_connection(listener: socket.socket) -> bool:
    """Tell whether a connection waits to be accepted, without taking it."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return bool(poll.poll(0))


def open_listener(process_type: ProcessType) -> socket.socket:
    """Listen on the type's address; raise ``BackendError`` naming the key, the address and the fix."""
    key = f"formation.{process_type.name}.listen"
    if process_type.listen is None:
        raise BackendError(f"{key}: missing, and socket: shared needs it; write an address such as 127.0.0.1:8000")
    try:
        return _listen(process_type.listen)
    except OSError as error:
        text = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        fix = _FIXES.get(error.errno or 0, f"cannot be listened on ({text}); choose another address")
        raise BackendError(f"{key}: {process_type.listen} {fix}") from error


def require_free_port(port: int) -> None:
    """Raise ``BackendError`` when somebody else listens on this port of the machine: a child would fail there, or seem ready."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise BackendError(f"its port {port} is in use by another program; end it, or choose another `port` for the backend") from error


def _listen(address: Address) -> socket.socket:
    """Bind and listen; the socket blocks, as servers that are handed one expect."""
    family, kind, protocol, _, place = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
