"""Answer requests from the newest tick."""

from __future__ import annotations

from http import HTTPStatus

from autoscaler.clock import Clock
from autoscaler.events import Notice, Tick
from autoscaler.record import RecordError, to_json
from autoscaler.serve.message import Request, Response, sentence
from autoscaler.serve.metrics import Exporter
from autoscaler.serve.status import status
from autoscaler.settings import Settings

_FEWEST_SECONDS = 10.0  # a loop is not called dead before it was silent for so long


class Site:
    """A listener that knows the newest tick, and the four pages made from it."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Begin before the first tick; ``clock`` is the one that the ticks are made with."""
        self._settings = settings
        self._clock = clock
        self._began = clock.now()
        self._tick: Tick | None = None
        self._is_ready = False
        self._is_ending = False
        self._exporter = Exporter(one.name for one in settings.types)

    def ticked(self, tick: Tick) -> None:
        """Keep a tick as the newest."""
        self._exporter.ticked(tick)
        self._is_ready = self._is_ready or tick.is_complete
        self._tick = tick

    def noticed(self, notice: Notice) -> None:
        """Count a notice."""
        self._exporter.noticed(notice)

    def reconfigure(self, settings: Settings) -> None:
        """Take over the settings of a reload."""
        self._settings = settings
        self._exporter.reconfigure(one.name for one in settings.types)

    def end(self) -> None:
        """Show from now on that the controller ends: it ticks no more, while its processes drain."""
        self._is_ending = True

    def answer(self, request: Request) -> Response:
        """Answer one request; the path alone decides which page it is."""
        match request.path:
            case "/metrics":
                page = self._exporter.page(request.accept, request.accept_encoding, request.query)
                return Response(HTTPStatus.OK, page.body, page.headers)
            case "/status":
                return self._status()
            case "/-/healthy":
                return self._healthy()
            case "/-/ready":
                return self._ready()
        return sentence(HTTPStatus.NOT_FOUND, "There is /metrics, /status, /-/healthy and /-/ready.")

    def _status(self) -> Response:
        value = status(self._tick, self._settings, uptime_seconds=round(self._clock.now() - self._began, 6))
        try:
            body = to_json(value)
        except RecordError as error:
            return sentence(HTTPStatus.INTERNAL_SERVER_ERROR, f"The status cannot be shown: {error}.")
        return Response(HTTPStatus.OK, f"{body}\n".encode(errors="backslashreplace"), (("Content-Type", "application/json"),))

    def _healthy(self) -> Response:
        if self._is_ending:
            return sentence(HTTPStatus.OK, "The controller is stopping; it waits for processes that drain.")
        interval = self._settings.interval_seconds
        silent = self._clock.now() - (self._tick.now if self._tick else self._began)
        if silent <= max(3 * interval, _FEWEST_SECONDS):
            return sentence(HTTPStatus.OK, "The controller ticks.")
        last = "The last tick was" if self._tick else "There was no tick since the start,"
        return sentence(HTTPStatus.SERVICE_UNAVAILABLE, f"{last} {silent:.0f} s ago; one is due every {interval:g} s.")

    def _ready(self) -> Response:
        if self._is_ending:
            return sentence(HTTPStatus.SERVICE_UNAVAILABLE, "The controller is stopping.")
        if self._is_ready:
            return sentence(HTTPStatus.OK, "Every process type was observed and every metric asked.")
        return sentence(HTTPStatus.SERVICE_UNAVAILABLE, "Not every process type was observed and every metric asked yet.")
