"""Notice connections to the types that have no process to take them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial

from autoscaler.act.event_loop import Timer
from autoscaler.act.local.ground import Ground
from autoscaler.act.local.listening import has_connection
from autoscaler.act.local.slots import TypeState
from autoscaler.act.ringing import FIRST_PAUSE_SECONDS, next_pause


class Callers:
    """Watches the shared sockets of types at zero; belongs to the loop's thread.

    A socket with a connection stays readable until a process takes it. So one that has rung is not watched, and is looked at again
    after a pause; that doubles while nothing is done about the connection, as for a type that is paused at zero.
    """

    def __init__(self, ground: Ground) -> None:
        """Watch nothing before the first ``look``."""
        self._wake: Callable[[], None] = _do_nothing
        self._ground = ground
        self._watched: set[socket.socket] = set()
        self._resting: dict[socket.socket, Timer] = {}
        self._is_closed = False

    def wake_with(self, call: Callable[[], None]) -> None:
        """Call this from now on, and at once when somebody rang before."""
        self._wake = call
        if self._resting:
            call()

    def look(self) -> None:
        """Watch the sockets of the types that are at zero now, and no others."""
        wanted = set() if self._is_closed else self._find_uncared_for()
        for listener in (self._watched | self._resting.keys()) - wanted:
            self.drop(listener)
        for listener in wanted - self._watched - self._resting.keys():
            self._ground.loop.watch(listener.fileno(), partial(self._called, listener))
            self._watched.add(listener)

    def drop(self, listener: socket.socket) -> None:
        """Let go of a socket that is about to be closed; harmless for one that is not watched."""
        if listener in self._watched:
            self._watched.remove(listener)
            self._ground.loop.unwatch(listener.fileno())
        if listener in self._resting:
            self._resting.pop(listener).cancel()

    def close(self) -> None:
        """Watch nothing any more."""
        self._is_closed = True
        self.look()

    def _find_uncared_for(self) -> set[socket.socket]:
        states = [state for state in self._ground.roster.types.values() if _is_at_zero(state)]
        return {listener for state in states if (listener := self._ground.listeners.of(state.process_type))}

    def _called(self, listener: socket.socket) -> None:
        self.drop(listener)
        self._ring(listener, FIRST_PAUSE_SECONDS)

    def _ring(self, listener: socket.socket, pause_seconds: float) -> None:
        self._resting[listener] = self._ground.loop.at(self._ground.loop.now() + pause_seconds, lambda: self._look_again(listener, pause_seconds))
        self._wake()

    def _look_again(self, listener: socket.socket, pause_seconds: float) -> None:
        del self._resting[listener]
        if has_connection(listener):
            self._ring(listener, next_pause(pause_seconds))
        else:
            self.look()


def _is_at_zero(state: TypeState) -> bool:
    return (
        state.process_type.socket == "shared" and state.wanted == 0 and not state.is_removed and all(slot.is_retired for slot in state.slots.values())
    )


def _do_nothing() -> None:
    """Wake nobody: nobody asked for it yet."""
