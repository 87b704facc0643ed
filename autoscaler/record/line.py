"""Turn decisions and notices into the lines of the record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from autoscaler import __version__
from autoscaler.events import Notice
from autoscaler.model import Adjustment, AutoscalerError, Decision, Json, Observation, PolicyAnswer, Reading, Recommendation

HEAD = ("event", "at", "now")  # what every notice begins with

_PER_SECOND = 1_000_000


class RecordError(AutoscalerError):
    """A record cannot be written or read; the text names the file or line and the cause."""


def decision_line(decision: Decision) -> dict[str, Json]:
    """Return the line of one decision as a JSON object, its keys in the order of the record."""
    observation = decision.observation
    return {
        "event": "decision",
        "at": observation.at,
        "now": observation.now,
        "process_type": observation.process_type.name,
        "observed": asdict(observation.counts),
        "readings": {metric: _reading(reading, observation) for metric, reading in observation.readings.items()},
        "missing": dict(observation.missing),
        "recommendations": [_answer(answer) for answer in decision.answers],
        "adjustments": [_adjustment(adjustment) for adjustment in decision.adjustments],
        "target": decision.target,
        "action": decision.action,
        "reason": decision.reason,
    }


def notice_line(notice: Notice) -> dict[str, Json]:
    """Return the line of one notice: event, wall and monotonic time, then its details."""
    details = {key: value for key, value in notice.details.items() if key not in HEAD}
    return {"event": notice.event, "at": notice.at, "now": notice.now, **details}


def start_line(notice: Notice) -> dict[str, Json]:
    """Return the line that a record begins with, from a notice whose details are the configuration and the state."""
    head: dict[str, Json] = {"event": "start", "version": __version__, "at": notice.at, "now": notice.now}
    details = {key: value for key, value in notice.details.items() if key not in head}
    return {**head, "configuration": None, "state": None, **details}


def to_json(line: Mapping[str, Json]) -> str:
    """Write a line of the record as JSON text without its newline, numbers in full.

    Raises ``RecordError`` for what JSON cannot hold: a number that is not finite, or a policy's memory that is no JSON value.
    """
    try:
        return json.dumps(line, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        owner = f" of {line['process_type']}" if "process_type" in line else ""
        raise RecordError(f"the {line.get('event')} line{owner} cannot be written as JSON: {error}; correct the plug-in that returned it") from error


def to_wall(at: float, observation_at: float, observation_now: float) -> float:
    """Turn a monotonic time into the wall time that the record shows.

    Counts whole microseconds: a sum of doubles near 4e9 s is wrong by one microsecond in about 1 of 1,000 cases.
    """
    return (_microseconds(observation_at) + _microseconds(at) - _microseconds(observation_now)) / _PER_SECOND


def to_monotonic(wall: float, observation_at: float, observation_now: float) -> float:
    """Turn a wall time of the record back into monotonic seconds, exactly for times of whole microseconds."""
    return to_wall(wall, observation_now, observation_at)


def _microseconds(seconds: float) -> int:
    return round(seconds * _PER_SECOND)


def _reading(reading: Reading, observation: Observation) -> Json:
    line: dict[str, Json] = {
        "value": reading.value,
        "at": to_wall(reading.at, observation.at, observation.now),
        "by_process": None if reading.by_process is None else dict(reading.by_process),
    }
    return {**line, "window_seconds": reading.window_seconds} if reading.window_seconds else line


def _answer(named: PolicyAnswer) -> Json:
    answer = named.answer
    return {
        "policy": named.policy,
        "processes": answer.processes if isinstance(answer, Recommendation) else None,
        "reason": answer.reason,
        "memory": answer.memory,
    }


def _adjustment(adjustment: Adjustment) -> Json:
    return {"rule": adjustment.rule, "from": adjustment.before, "to": adjustment.after, "reason": adjustment.reason}
