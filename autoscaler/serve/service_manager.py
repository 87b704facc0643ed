"""Tell the service manager that started the controller how it goes, by sd_notify(3)."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Event, Thread

from autoscaler.clock import Clock
from autoscaler.events import Notice, Tick
from autoscaler.model import TypeFormation
from autoscaler.settings import Settings

_PATS = 3  # signs of life in the time that the watchdog waits
_TICKS_MISSED = 3  # so many intervals without a tick are no life,
_FEWEST_SECONDS = 10.0  # unless they are shorter than this
_MICROSECONDS = 1_000_000


class ServiceManager:
    """A listener that tells systemd READY with the first tick, the formation as STATUS, and signs of life while ticks come.

    Where no service manager started the program it tells nothing. A message that cannot be sent never stops the controller; ``trouble``
    is called with the first cause.
    """

    def __init__(self, environment: Mapping[str, str], pid: int, clock: Clock, trouble: Callable[[OSError], None]) -> None:
        """Take ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID`` from ``environment``; ``pid`` is this very process."""
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self._watchdog_seconds = _watchdog_seconds(environment, pid)
        self._clock = clock
        self._trouble: Callable[[OSError], None] | None = trouble
        self._interval_seconds = 0.0
        self._last_tick: float | None = None
        self._is_draining = False
        self._is_over = Event()
        self._status = ""

    @contextmanager
    def watched(self, settings: Settings) -> Iterator[None]:
        """Show signs of life within, from the first tick on."""
        self.reconfigure(settings)
        if self._watchdog_seconds is not None and self._address:
            Thread(target=self._show_life, args=(self._watchdog_seconds / _PATS,), name="watchdog", daemon=True).start()
        try:
            yield
        finally:
            self._is_over.set()

    def ticked(self, tick: Tick) -> None:
        """Tell the formation, and with the first tick that the service is ready."""
        is_first, self._last_tick = self._last_tick is None, self._clock.now()
        status = formation_in_words(tick.formations, tick.errors)
        if is_first or status != self._status:
            self._status = status
            self._send(*(("READY=1",) if is_first else ()), f"STATUS={status}")

    def noticed(self, notice: Notice) -> None:
        """Take no notice: only ticks show what runs."""

    def reloading(self) -> None:
        """Tell that the configuration is read again, until ``reloaded``."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={round(self._clock.now() * _MICROSECONDS)}")

    def reloaded(self) -> None:
        """Tell that the reload is over, whether it went well or the old configuration stays."""
        self._send("READY=1")

    def reconfigure(self, settings: Settings) -> None:
        """Expect ticks at the interval of another configuration from now on."""
        self._interval_seconds = settings.interval_seconds

    def end(self) -> None:
        """Tell that the service stops, while processes that are its own drain; the watchdog still gets its signs of life."""
        self._is_draining = True
        self._send("STOPPING=1", "STATUS=stopping")

    def _show_life(self, seconds: float) -> None:
        while not self._is_over.wait(seconds):
            if self.lives:
                self._send("WATCHDOG=1")

    @property
    def lives(self) -> bool:
        """Whether ticks come, or the processes drain; before the first tick it is the start that may take too long."""
        if self._last_tick is None or self._is_draining:
            return True
        return self._clock.now() - self._last_tick <= max(_FEWEST_SECONDS, _TICKS_MISSED * self._interval_seconds)

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as sender:
                sender.sendto("\n".join(lines).encode(errors="replace"), self._address)
        except OSError as error:
            if self._trouble is not None:
                self._trouble(error)
                self._trouble = None


def formation_in_words(formations: Mapping[str, TypeFormation], errors: Mapping[str, str]) -> str:
    """Write ``web 3 of 3, worker 2 of 4 (2 starting)``; a type that could not be observed is unknown."""
    known = [f"{name} {_in_words(formation)}" for name, formation in formations.items()]
    unknown = [f"{name} unknown" for name in errors if name not in formations]
    return ", ".join([*known, *unknown]) or "no process type was observed"


def _in_words(formation: TypeFormation) -> str:
    counts = formation.counts
    states = {"starting": counts.starting, "draining": counts.draining, "failed": counts.failed, "unknown": counts.unknown}
    said = ", ".join(f"{number} {state}" for state, number in states.items() if number)
    return f"{counts.running} of {counts.desired}" + (f" ({said})" if said else "")


def _address(path: str) -> str:
    """Return the address of the socket; empty for none, or for one of a kind that only systemd inside a machine uses."""
    if path.startswith("@"):
        return f"\0{path[1:]}"
    return path if path.startswith("/") else ""


def _watchdog_seconds(environment: Mapping[str, str], pid: int) -> float | None:
    if environment.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    with suppress(ValueError):
        microseconds = int(environment.get("WATCHDOG_USEC", ""))
        return microseconds / _MICROSECONDS if microseconds > 0 else None
    return None
