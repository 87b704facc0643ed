"""Open what stands around a controller: pauses, record, listener."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from autoscaler.cli.doorway import Doorway
from autoscaler.cli.log import Log
from autoscaler.clock import Clock
from autoscaler.decide.settings import Pause
from autoscaler.events import Listener
from autoscaler.model import Address
from autoscaler.pauses import Pauses, PausesError, runtime_directory
from autoscaler.record import RecordWriter
from autoscaler.serve.service_manager import ServiceManager
from autoscaler.serve.site import Site
from autoscaler.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a controller runs, beside its configuration."""

    path: Path  # of the configuration
    is_dry_run: bool = False
    record: str | None = None  # a file, or - for standard output


class Surroundings:
    """All that a controller tells and is told, except by its sources and backends."""

    def __init__(self, settings: Settings, options: Options, log: Log, clock: Clock) -> None:
        """Open nothing yet; raise ``PausesError`` when the runtime directory belongs to somebody else."""
        self._settings = settings
        self._options = options
        self._log = log
        self._site = Site(settings, clock)
        self._doorway = Doorway(self._site)
        self._service_manager = ServiceManager(os.environ, os.getpid(), clock, self._tell_notify_trouble)
        self._pauses = Pauses(runtime_directory(os.environ), settings.formation_name)
        self._record: RecordWriter | None = None

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """Name who is told of ticks and notices; complete once the record is open."""
        return (*((self._record,) if self._record else ()), self._site, self._log, self._service_manager)

    def open(self, opened: ExitStack, wall: float) -> None:
        """Open the pauses and the record, to be closed by ``opened``; raise ``AutoscalerError`` for what cannot be."""
        self._pauses.read(wall)
        try:
            opened.enter_context(self._pauses.watched())
        except PausesError as error:
            self._log.tell("warning", "pauses", f"`autoscaler pause` will not see this controller: {error}", error=str(error))
        opened.enter_context(self._service_manager.watched(self._settings))
        if self._options.record is not None:
            self._record = RecordWriter(self._options.record, self._tell_record_trouble)
            opened.callback(self._record.close)

    def listen(self, opened: ExitStack) -> Address | None:
        """Open the listener, to be closed by ``opened``; return its address if there is one; raise ``ServeError``."""
        opened.callback(self._doorway.close)
        return self._doorway.open(self._settings.listen)

    def read_pauses(self, wall: float) -> Mapping[str, Pause]:
        """Return the operator's pauses; a file that got spoilt is told once, and the last pauses stay in force."""
        try:
            return self._pauses.read(wall)
        except PausesError as error:
            self._log.tell("error", "pauses", f"{error}; until then the last pauses stay", error=str(error))
        return self._pauses.read(wall)

    def reopen_record(self) -> None:
        """Begin a new file where log rotation took the old one away."""
        if self._record:
            self._record.reopen()

    def move(self, settings: Settings) -> None:
        """Listen where a new configuration says; raise ``ServeError`` and change nothing when that cannot be."""
        self._doorway.move(settings.listen)

    def reconfigure(self, settings: Settings) -> None:
        """Show a new configuration from now on."""
        self._settings = settings
        self._site.reconfigure(settings)
        self._service_manager.reconfigure(settings)

    def show_end(self) -> None:
        """Show that the controller ends, while its processes drain."""
        self._site.end()
        self._service_manager.end()

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """Tell the service manager that what happens within is a reload."""
        self._service_manager.reloading()
        try:
            yield
        finally:
            self._service_manager.reloaded()

    def _tell_notify_trouble(self, trouble: OSError) -> None:
        text = (
            f"the service manager cannot be told how it goes: {trouble.strerror}; start the controller without NOTIFY_SOCKET, or let it write there"
        )
        self._log.tell("warning", "notify", text, error=str(trouble))

    def _tell_record_trouble(self, trouble: Exception) -> None:
        self._log.tell("error", "record", str(trouble), error=str(trouble))
