"""Say in one JSON value what the controller saw, decided and did at its newest tick."""

from __future__ import annotations

from dataclasses import asdict

from autoscaler import __version__
from autoscaler.decide.settings import TypeSettings
from autoscaler.events import BoardEntry, Tick
from autoscaler.model import Json
from autoscaler.record import decision_line
from autoscaler.settings import Settings


def status(tick: Tick | None, settings: Settings, *, uptime_seconds: float) -> dict[str, Json]:
    """Return the value of ``/status``, which ``autoscaler status`` prints; ``tick`` is ``None`` before the first one.

    The shape, where ``null`` stands for what is not known (yet)::

        {"version": "1.2.3",
         "configuration": "/srv/app/autoscaler.yaml",      null: made in the program
         "interval_seconds": 5.0,
         "uptime_seconds": 61.5,
         "at": 1763800000.0,                               when the newest tick began, wall seconds
         "is_complete": true,                              every type was observed and every metric asked
         "ticks_missed": 0,
         "formation": {
           "worker": {
             "counts": {"desired": 2, "running": 2, "starting": 0, "draining": 0, "failed": 0, "unknown": 0},
             "target": 4,
             "minimum": 0,                                 these two as the schedule has them at that moment
             "maximum": 40,
             "startup_seconds": 4.0,                       measured by the backend
             "is_crash_looping": false,
             "paused": {"scale_out": true, "scale_in": true, "reason": "deploy"},      null: not paused
             "notes": ["worker.1 ignores TERM"],           what an operator should know now
             "error": "...",                               why it was not observed or scaled; null: it was
             "decision": {"event": "decision", ...}}},     the newest one, as the record writes it
         "metrics": {
           "jobs_waiting": {"value": 700.0, "age_seconds": 0.4, "cause": null, "errors": 0},
           "jobs_running": {"value": null, "age_seconds": null, "cause": "connection refused", "errors": 3}}}
    """
    return {
        "version": __version__,
        "configuration": str(settings.path) if settings.path else None,
        "interval_seconds": settings.interval_seconds,
        "uptime_seconds": uptime_seconds,
        "at": tick.at if tick else None,
        "is_complete": tick is not None and tick.is_complete,
        "ticks_missed": tick.missed if tick else 0,
        "formation": _formation(tick, settings),
        "metrics": {one.name: _metric(tick.board.get(one.name) if tick else None, tick.now if tick else 0.0) for one in settings.metrics},
    }


def _formation(tick: Tick | None, settings: Settings) -> dict[str, Json]:
    lines: dict[str, Json] = {}
    if tick:
        lines = {decision.observation.process_type.name: decision_line(decision) for decision in tick.decisions}
    return {one.name: _process_type(one, tick, lines.get(one.name)) for one in settings.types}


def _process_type(settings: TypeSettings, tick: Tick | None, line: Json) -> dict[str, Json]:
    name = settings.name
    formation = tick.formations.get(name) if tick else None
    pause = tick.pauses.get(name) if tick else None
    configured = (settings.process_type.minimum, settings.process_type.maximum)
    minimum, maximum = tick.limits.get(name, configured) if tick else configured
    return {
        "counts": asdict(formation.counts) if formation else None,
        "target": line["target"] if isinstance(line, dict) else None,
        "minimum": minimum,
        "maximum": maximum,
        "startup_seconds": formation.startup_seconds if formation else None,
        "is_crash_looping": formation is not None and formation.is_crash_looping,
        "paused": asdict(pause) if pause else None,
        "notes": list(formation.notes) if formation else [],
        "error": tick.errors.get(name) if tick else None,
        "decision": line,
    }


def _metric(entry: BoardEntry | None, now: float) -> dict[str, Json]:
    reading = entry.reading if entry else None
    return {
        "value": reading.value if reading else None,
        "age_seconds": round(now - reading.at, 6) if reading else None,
        "cause": entry.cause if entry else "not read yet",
        "errors": entry.errors if entry else 0,
    }
