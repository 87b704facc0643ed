"""Tell other autoscalers of this user what the local formation is."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable, Mapping

from autoscaler.act.event_loop import EventLoop
from autoscaler.act.local.formation_json import write_formation
from autoscaler.act.local.formation_lock import may_ask
from autoscaler.model import TypeFormation

_ANSWER_SECONDS = 5.0  # a client that does not read is left alone after this
_PAUSE_SECONDS = 0.2  # after a question that could not be taken


class Desk:
    """Answers on the socket that is the formation's lock; belongs to the loop's thread."""

    def __init__(self, loop: EventLoop, read: Callable[[], Mapping[str, TypeFormation]]) -> None:
        """Begin without a lock; ``read`` returns the formation to tell."""
        self._loop = loop
        self._read = read
        self._lock: socket.socket | None = None
        self._answers: dict[socket.socket, memoryview] = {}

    def open(self, lock: socket.socket) -> None:
        """Hold this lock from now on, and let go of the one before."""
        self._close_lock()
        self._lock = lock
        self._watch(lock)

    def close(self) -> None:
        """Let go of the lock and of everybody who waits for an answer."""
        self._close_lock()
        for client in list(self._answers):
            self._drop(client)

    def _accept(self, lock: socket.socket) -> None:
        try:
            client, _ = lock.accept()
        except OSError:
            # No descriptor is left, most likely: whoever asks stays ready, and must not keep this thread busy meanwhile.
            self._loop.unwatch(lock.fileno())
            self._loop.at(self._loop.now() + _PAUSE_SECONDS, lambda: self._watch(lock))
            return
        if not may_ask(client):
            client.close()
            return
        client.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        self._answers[client] = memoryview(write_formation(self._read()))
        self._loop.watch(client.fileno(), lambda: self._send(client), selectors.EVENT_WRITE)
        self._loop.at(self._loop.now() + _ANSWER_SECONDS, lambda: self._drop(client))

    def _watch(self, lock: socket.socket) -> None:
        if lock is self._lock:
            self._loop.watch(lock.fileno(), lambda: self._accept(lock))

    def _send(self, client: socket.socket) -> None:
        left = self._answers[client]
        try:
            self._answers[client] = left[client.send(left) :]
        except BlockingIOError:
            return
        except OSError:
            self._drop(client)
            return
        if not self._answers[client]:
            self._drop(client)

    def _drop(self, client: socket.socket) -> None:
        if self._answers.pop(client, None) is not None:
            self._loop.unwatch(client.fileno())
            client.close()

    def _close_lock(self) -> None:
        if self._lock is not None:
            self._loop.unwatch(self._lock.fileno())
            self._lock.close()
            self._lock = None
