"""Note what decisions depend on beyond their own lines in the record, whenever it changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from autoscaler.events import Notice
from autoscaler.model import Decision, Json, Observation, TypeFormation


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What is known of a type that was not observed yet, unless told otherwise."""

    startup_seconds: float = 0.0  # measured; 0 when it was not
    is_crash_looping: bool = False
    is_called: bool = False
    room: int | None = None
    unready: str | None = None
    chooses_idlest: bool = True

    def notices(self) -> dict[str, tuple[str, Json]]:
        """Return the detail of each notice, by its event."""
        return {
            "startup": ("seconds", self.startup_seconds),
            "crash_loop": ("crash_looping", self.is_crash_looping),
            "called": ("called", self.is_called),
            "room": ("processes", self.room),
            "unready": ("cause", self.unready),
            "choice": ("idlest", self.chooses_idlest),
        }


class Changes:
    """Remembers what was told of each type, so that a replay knows of each decision what its policies and rules knew."""

    def __init__(self) -> None:
        """Begin with nothing told."""
        self._told: dict[str, _Seen] = {}

    def notices(self, seen: Mapping[str, TypeFormation], decisions: tuple[Decision, ...], now: float, at: float) -> Iterator[Notice]:
        """Yield a notice for each thing that the decisions saw changed; take them all, for what was yielded counts as told."""
        for decision in decisions:
            name = decision.observation.process_type.name
            yield from self._notices_of(name, _what_was_seen(decision.observation, seen[name]), now, at)

    def state(self) -> dict[str, Json]:
        """Return all that was told, for a record that begins now."""
        startups: dict[str, Json] = {name: told.startup_seconds for name, told in self._told.items() if told.startup_seconds}
        seen: dict[str, Json] = {
            name: {
                "crash_looping": told.is_crash_looping,
                "called": told.is_called,
                "room": told.room,
                "unready": told.unready,
                "idlest": told.chooses_idlest,
            }
            for name, told in self._told.items()
        }
        return {"startups": startups, "seen": seen}

    def _notices_of(self, name: str, seen: _Seen, now: float, at: float) -> Iterator[Notice]:
        told = self._told.get(name, _Seen())
        if seen == told:
            return
        self._told[name] = seen
        before = told.notices()
        for event, (key, value) in seen.notices().items():
            if value != before[event][1]:
                yield Notice(event=event, now=now, at=at, details={"process_type": name, key: value})


def _what_was_seen(observation: Observation, formation: TypeFormation) -> _Seen:
    return _Seen(
        startup_seconds=formation.startup_seconds or 0.0,
        is_crash_looping=observation.is_crash_looping,
        is_called=observation.is_called,
        room=observation.room,
        unready=observation.unready,
        chooses_idlest=observation.chooses_idlest,
    )
