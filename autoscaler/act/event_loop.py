"""Run the one thread that owns the processes of a backend: descriptors, timers and calls from other threads."""

from __future__ import annotations

import heapq
import os
import selectors
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock

from autoscaler.clock import Clock

Action = Callable[[], None]
_TROUBLE_SECONDS = 0.1  # a descriptor that stays ready and cannot be served does not make the loop spin


@dataclass(order=True, slots=True)
class Timer:
    """Something to do at a time; a cancelled one is skipped."""

    when: float
    serial: int
    action: Action | None = field(compare=False)

    def cancel(self) -> None:
        """Never run this timer; harmless when it has run."""
        self.action = None


class EventLoop:
    """Waits for descriptors, timers and calls; everything but ``call`` belongs to the thread that runs it."""

    def __init__(self, clock: Clock, tell: Callable[[str], None]) -> None:
        """Open the selector and the descriptor that wakes it; ``tell`` gets a sentence when the system refuses something unforeseen."""
        self._clock = clock
        self._tell = tell
        self._selector = selectors.DefaultSelector()
        self._wakeup = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._selector.register(self._wakeup, selectors.EVENT_READ, self._woken)
        self._calls: deque[Action] = deque()
        self._timers: list[Timer] = []
        self._serial = 0
        self._lock = Lock()
        self._is_closed = False
        self._is_stopping = False

    def now(self) -> float:
        """Return monotonic seconds."""
        return self._clock.now()

    def wall(self) -> float:
        """Return seconds since the epoch."""
        return self._clock.wall()

    def watch(self, descriptor: int, action: Action, events: int = selectors.EVENT_READ) -> None:
        """Call ``action`` whenever the descriptor is ready, until ``unwatch``."""
        self._selector.register(descriptor, events, action)

    def unwatch(self, descriptor: int) -> None:
        """Stop watching, if it is watched; the descriptor stays open."""
        with suppress(KeyError):
            self._selector.unregister(descriptor)

    def at(self, when: float, action: Action) -> Timer:
        """Run ``action`` once at ``when`` (monotonic seconds)."""
        self._serial += 1
        timer = Timer(when, self._serial, action)
        heapq.heappush(self._timers, timer)
        return timer

    def call(self, action: Action) -> bool:
        """Run ``action`` in the loop's next round; safe from any thread. False when the loop is closed."""
        with self._lock:
            if self._is_closed:
                return False
            self._calls.append(action)
            os.eventfd_write(self._wakeup, 1)
            return True

    def run(self, after_round: Action) -> None:
        """Serve until ``stop``; ``after_round`` is run after each batch of events."""
        while not self._is_stopping:
            for key, _ in self._selector.select(self._seconds_to_wait()):
                # A callback of the same batch may have closed this descriptor, and another may bear its number by now.
                if self._selector.get_map().get(key.fd) is key:
                    self._do(key.data)
            self._run_calls()
            self._run_timers()
            self._do(after_round)

    def stop(self) -> None:
        """End ``run`` after this round."""
        self._is_stopping = True

    def close(self) -> None:
        """Close the selector; later calls are refused."""
        with self._lock:
            self._is_closed = True
            self._selector.close()
            os.close(self._wakeup)

    def _do(self, action: Action) -> None:
        """Run one action; what the system refuses to one process must not end the others."""
        try:
            action()
        except (OSError, OverflowError) as error:
            self._tell(f"trouble in the thread that holds the processes, which goes on: {error}")
            time.sleep(_TROUBLE_SECONDS)

    def _woken(self) -> None:
        os.eventfd_read(self._wakeup)

    def _seconds_to_wait(self) -> float | None:
        if self._calls:
            return 0.0
        while self._timers and self._timers[0].action is None:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0].when - self.now()) if self._timers else None

    def _run_calls(self) -> None:
        for _ in range(len(self._calls)):
            self._do(self._calls.popleft())

    def _run_timers(self) -> None:
        now = self.now()
        while self._timers and self._timers[0].when <= now:
            timer = heapq.heappop(self._timers)
            if timer.action is not None:
                self._do(timer.action)
