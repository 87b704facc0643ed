"""Keep what the lines of a record tell of the decisions that follow them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from autoscaler.decide.settings import Pause
from autoscaler.events import Notice
from autoscaler.model import Json
from autoscaler.record import Circumstances, RecordError, Start, circumstances_of

_NOTHING = Circumstances()
_PAUSES = TypeAdapter(dict[str, Pause])
_PAUSE_KEYS = ("scale_out", "scale_in", "reason")
_EVENTS = frozenset({"pause", "resume", "startup", "crash_loop", "called", "room", "unready", "choice"})


@dataclass(frozen=True, slots=True)
class Told:
    """The circumstances and the pauses in force, by process type."""

    circumstances: Mapping[str, Circumstances]
    pauses: Mapping[str, Pause]

    def of(self, process_type: str) -> Circumstances:
        """Return the circumstances of a type."""
        return self.circumstances.get(process_type, _NOTHING)

    def after(self, notice: Notice) -> Told:
        """Return what is known from a notice on; raise ``RecordError`` when it tells it in another shape."""
        if notice.event not in _EVENTS:
            return self
        name = notice.details.get("process_type")
        if not isinstance(name, str):
            raise RecordError(f"the {notice.event} line at {notice.at}: process_type: {name!r} is no name; remove the line")
        if notice.event == "resume":
            return Told(self.circumstances, {other: pause for other, pause in self.pauses.items() if other != name})
        if notice.event == "pause":
            said: dict[str, Json] = {name: {key: notice.details.get(key) for key in _PAUSE_KEYS}}
            return Told(self.circumstances, {**self.pauses, **_pauses_of(said, f"the pause line at {notice.at}")})
        return Told({**self.circumstances, name: self.of(name).after(notice)}, self.pauses)


NOTHING_TOLD = Told({}, {})


def told_by(start: Start) -> Told:
    """Return what a start line's state tells; raise ``RecordError`` for another shape."""
    pauses = start.state.get("pauses", {}) if isinstance(start.state, dict) else {}
    return Told(circumstances_of(start.state), _pauses_of(pauses, "the state of the start line: pauses"))


def _pauses_of(value: Json, place: str) -> dict[str, Pause]:
    try:
        return _PAUSES.validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = "".join(f".{part}" for part in first["loc"])
        raise RecordError(f"{place}{key}: {first['msg']}; take the record from another start") from error
