"""Run a controller, from the first file opened to the last child drained."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from signal import SIGALRM, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2
from threading import Event, Lock, Thread

from autoscaler import __version__
from autoscaler.act.backend import Backend
from autoscaler.cli.configuration import contents, load_configuration
from autoscaler.cli.log import Log
from autoscaler.cli.one_tick import take_one_tick
from autoscaler.cli.signals import answer_signals
from autoscaler.cli.surroundings import Options, Surroundings
from autoscaler.clock import SystemClock
from autoscaler.events import Tick
from autoscaler.loop import Controller, connect_backends, observe_backends
from autoscaler.loop.connect import close_backends, new_among
from autoscaler.loop.guard import guard
from autoscaler.model import Address
from autoscaler.settings import Settings

_RELOAD_SECONDS = 0.2  # how long the end waits for a reload under way
_LAST_SECONDS = 2.0  # how long after a second signal the program ends, whatever hangs


class Live:
    """One controller with its surroundings and signals."""

    def __init__(self, settings: Settings, options: Options, log: Log) -> None:
        """Open nothing yet."""
        self._settings = settings
        self._options = options
        self._log = log
        self._clock = SystemClock()
        self._surroundings = Surroundings(settings, options, log, self._clock)
        self._stop, self._hurry, self._is_reload_wanted = Event(), Event(), Event()
        self._changing = Lock()  # held while a reload exchanges the backends
        self._backends: dict[str, Backend] = {}
        self._drains: list[Thread] = []  # of backends that left with a reload
        self._has_terminal = _has_terminal()

    def run(self) -> None:
        """Keep the formation until a signal ends it.

        Raises ``AutoscalerError`` for what cannot be opened; whatever was opened until then is closed again.
        """
        # Signals that would end the program without its children being drained end it like SIGTERM.
        answer_signals(dict.fromkeys((SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM), self._end) | {SIGHUP: self._hang_up})
        with ExitStack() as opened:
            # What may fail comes before the first tick, which starts the first process.
            self._surroundings.open(opened, self._clock.wall())
            controller = self._connect(opened)
            address = self._surroundings.listen(opened)
            self._tell_start(address)
            Thread(target=self._reload_on_demand, args=(controller,), name="reload", daemon=True).start()
            controller.run(self._stop)
            self._tell_drain()
        self._log.tell("info", "stop", "stopped")

    def run_once(self) -> Tick:
        """Take one tick that acts, and let go of all; raise ``AutoscalerError`` for what cannot be opened."""
        with ExitStack() as opened:
            self._surroundings.open(opened, self._clock.wall())
            controller = self._connect(opened)
            self._tell_start(None)
            controller.tell_start()
            return take_one_tick(controller, self._settings)

    def _connect(self, opened: ExitStack) -> Controller:
        self._backends = self._open_backends(self._settings)
        opened.callback(self._close_backends)
        return Controller(
            self._settings,
            self._backends,
            clock=self._clock,
            pauses=self._surroundings.read_pauses,
            listeners=self._surroundings.listeners,
        )

    def _open_backends(self, settings: Settings) -> dict[str, Backend]:
        return observe_backends(settings) if self._options.is_dry_run else connect_backends(settings, self._backends)

    def _close_backends(self) -> None:
        has_changed = self._changing.acquire(timeout=_RELOAD_SECONDS)
        for name, trouble in close_backends(self._backends, self._hurry).items():
            self._log.tell("error", "backend", f"backend {name} was not closed: {trouble}", backend=name, error=trouble)
        for drain in self._drains:
            drain.join()
        if has_changed:
            self._changing.release()

    def _tell_start(self, address: Address | None) -> None:
        path, version = str(self._options.path), __version__
        where = f", listening on {address}" if address else ""
        dry = ", dry run: nothing is changed" if self._options.is_dry_run else ""
        text = f"autoscaler {version} with configuration {path}: {contents(self._settings)}{where}{dry}"
        dry_run = self._options.is_dry_run
        self._log.tell("info", "start", text, version=version, configuration=path, listen=str(address or "nowhere"), dry_run=dry_run)
        for warning in self._settings.warnings:
            self._log.tell("warning", "configuration", warning, warning=warning)

    def _tell_drain(self) -> None:
        self._surroundings.show_end()
        own = [one.process_type for one in self._settings.types if getattr(self._settings.backends[one.backend], "drains", False)]
        slowest = max((each.stop_timeout_seconds for each in own), default=0.0)
        text = f"stopping: processes that drain have up to {slowest:g} s; signal again to end them now" if own else "stopping: the processes go on"
        self._log.tell("info", "stopping", text, seconds=slowest)

    def _hang_up(self) -> None:
        """Reload, or end when it was the terminal that hung up."""
        if self._has_terminal and not _has_terminal():
            self._end()
        else:
            self._is_reload_wanted.set()

    def _end(self) -> None:
        """End on the first signal with draining, on the second at once; called on the thread of the signals."""
        if not self._stop.is_set():
            self._stop.set()
            return
        self._hurry.set()
        time.sleep(_LAST_SECONDS)
        os._exit(1)  # only still here when something hangs

    # Reload

    def _reload_on_demand(self, controller: Controller) -> None:
        while self._is_reload_wanted.wait():
            self._is_reload_wanted.clear()
            self._surroundings.reopen_record()
            controller.tell_state()
            with self._changing:
                if self._stop.is_set():
                    return
                with self._surroundings.reloading():
                    refusal = guard(lambda: self._reload(controller), str)
            if refusal is not None:
                controller.notice("reload", {"ok": False, "error": refusal})

    def _reload(self, controller: Controller) -> None:
        """Read the configuration again and go on with it; until the last step that may fail, everything stays as it was."""
        settings = load_configuration(self._options.path)
        with ExitStack() as undone:
            undone.callback(self._surroundings.move, self._settings)
            self._surroundings.move(settings)
            before, backends = self._backends, controller.reload(settings, lambda: self._open_backends(settings))
            undone.pop_all()
        self._backends, self._settings = dict(backends), settings
        self._surroundings.reconfigure(settings)
        self._leave(new_among(before, backends))

    def _leave(self, backends: dict[str, Backend]) -> None:
        """Let go of backends that the configuration no longer names, while the others go on."""
        drain = Thread(target=close_backends, args=(backends, self._hurry), name="drain", daemon=True)
        drain.start()
        self._drains = [*(other for other in self._drains if other.is_alive()), drain]


def _has_terminal() -> bool:
    """Whether the program has a controlling terminal."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
