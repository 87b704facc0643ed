"""Read what a record tells of a process type beside its decisions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Any, TypeAlias

from pydantic import Field, FiniteFloat, Strict, TypeAdapter, ValidationError

from autoscaler.events import Notice
from autoscaler.model import Json
from autoscaler.record.line import RecordError

_Seconds: TypeAlias = Annotated[FiniteFloat, Strict()]
_Flag: TypeAlias = Annotated[bool, Strict()]
_Count: TypeAlias = Annotated[int, Strict()]
_Text: TypeAlias = Annotated[str, Strict()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a decision depended on that its own line does not hold; of a type that nothing was told of, the defaults."""

    startup_seconds: float = 0.0  # measured; 0 when it was not
    is_crash_looping: bool = False
    is_called: bool = False
    room: int | None = None
    unready: str | None = None
    chooses_idlest: bool = True

    def after(self, notice: Notice) -> Circumstances:
        """Return the circumstances from a notice of this type on; raise ``RecordError`` when it tells them in another shape.

        Those told by ``startup``, ``crash_loop``, ``called``, ``room``, ``unready`` and ``choice``; every other notice changes nothing.
        """
        if notice.event not in _NOTICES:
            return self
        field_name, key, adapter = _NOTICES[notice.event]
        try:
            changed: dict[str, Any] = {field_name: adapter.validate_python(notice.details.get(key))}  # Any: of the field's own type
        except ValidationError as error:
            raise _wrong(f"the {notice.event} line at {notice.at}: {key}", error) from error
        return replace(self, **changed)


def circumstances_of(state: Json) -> dict[str, Circumstances]:
    """Return the circumstances of each type that a start line's state names; raise ``RecordError`` for another shape."""
    try:
        told = _STATE.validate_python(state or {})
    except ValidationError as error:
        raise _wrong("the state of the start line", error) from error
    return {name: _circumstances(told, name) for name in {*told.startups, *told.seen}}


@dataclass(frozen=True, slots=True)
class _SeenLine:
    is_crash_looping: Annotated[_Flag, Field(alias="crash_looping")] = False
    is_called: Annotated[_Flag, Field(alias="called")] = False
    room: _Count | None = None
    unready: _Text | None = None
    chooses_idlest: Annotated[_Flag, Field(alias="idlest")] = True


@dataclass(frozen=True, slots=True)
class _StateLine:
    startups: dict[str, _Seconds] = field(default_factory=dict)
    seen: dict[str, _SeenLine] = field(default_factory=dict)


def _circumstances(told: _StateLine, name: str) -> Circumstances:
    seen = told.seen.get(name, _SeenLine())
    return Circumstances(
        startup_seconds=told.startups.get(name, 0.0),
        is_crash_looping=seen.is_crash_looping,
        is_called=seen.is_called,
        room=seen.room,
        unready=seen.unready,
        chooses_idlest=seen.chooses_idlest,
    )


def _wrong(place: str, error: ValidationError) -> RecordError:
    first = error.errors(include_url=False)[0]
    key = "".join(f".{part}" for part in first["loc"])
    return RecordError(f"{place}{key}: {first['msg']}; take the record from another start")


_STATE = TypeAdapter(_StateLine)
# By event: the field it tells, and the key that holds its value. Any: each of its own type.
_NOTICES: dict[str, tuple[str, str, TypeAdapter[Any]]] = {
    "startup": ("startup_seconds", "seconds", TypeAdapter(_Seconds)),
    "crash_loop": ("is_crash_looping", "crash_looping", TypeAdapter(_Flag)),
    "called": ("is_called", "called", TypeAdapter(_Flag)),
    "room": ("room", "processes", TypeAdapter(_Count | None)),
    "unready": ("unready", "cause", TypeAdapter(_Text | None)),
    "choice": ("chooses_idlest", "idlest", TypeAdapter(_Flag)),
}
