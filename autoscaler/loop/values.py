"""Turn what a tick found into the values of the next step; pure, apart from calling a policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from autoscaler import __version__
from autoscaler.decide.asking import ask
from autoscaler.decide.settings import NamedPolicy, Pause, TypeSettings
from autoscaler.events import BoardEntry, Notice
from autoscaler.loop.guard import guard
from autoscaler.model import Answer, Change, Decision, Json, Missing, Observation, Outcome, ProcessType, TypeFormation

_LEAD_SECONDS = 0.25


def lead_of(interval_seconds: float) -> float:
    """Return by how many seconds ticks follow polls, so that they see fresh readings."""
    return min(_LEAD_SECONDS, interval_seconds / 4)


def state_told(document: Json, memories: Mapping[str, Json], pauses: Mapping[str, Pause], seen: Mapping[str, Json]) -> dict[str, Json]:
    """Put together what a record begins with: version, configuration, and all that later decisions depend on."""
    state: dict[str, Json] = {"memories": dict(memories), "pauses": {name: asdict(pause) for name, pause in pauses.items()}, **seen}
    return {"version": __version__, "configuration": document, "state": state}


def observation_of(one: TypeSettings, seen: TypeFormation, board: Mapping[str, BoardEntry], now: float, at: float) -> Observation:
    """Put together what the policies of one type may know at this tick."""
    entries = {metric: board[metric] for metric in one.metrics}
    startup = one.process_type.startup_seconds
    return Observation(
        now=now,
        at=at,
        process_type=one.process_type,
        counts=seen.counts,
        readings={metric: entry.reading for metric, entry in entries.items() if entry.reading is not None},
        missing={metric: entry.cause or "no reading" for metric, entry in entries.items() if entry.reading is None},
        startup_seconds=startup if startup is not None else seen.startup_seconds or 0.0,
        is_crash_looping=seen.is_crash_looping,
        is_called=seen.is_called,
        room=room_of(one.process_type, seen),
        unready=seen.unready,
        chooses_idlest=seen.chooses_idlest,
    )


def room_of(process_type: ProcessType, seen: TypeFormation) -> int | None:
    """Count the processes there is still memory for, up to the maximum, beyond which it makes no difference; None: not known."""
    if process_type.memory_bytes is None or seen.free_memory_bytes is None:
        return None
    return min(process_type.maximum, max(0, seen.free_memory_bytes) // process_type.memory_bytes)


def ask_guarded(named: NamedPolicy, observation: Observation, memory: Json) -> Answer:
    """Ask a policy; one that raises is missing, by its own name, and keeps its memory."""
    return guard(lambda: ask(named, observation, memory), lambda cause: Missing(f"policy {named.name}", cause, memory))


def change_of(decision: Decision) -> Change:
    """Put a decision into the words of a backend."""
    observation = decision.observation
    loads = next((reading.by_process for reading in observation.readings.values() if reading.by_process), {})
    return Change(observation.process_type.name, observation.counts.desired, decision.target, decision.reason, loads)


def outcomes_of(changes: tuple[Change, ...], answer: object) -> tuple[Outcome, ...]:
    """Check what a backend answered: one outcome a change; raise ``TypeError`` when it broke its contract."""
    if not isinstance(answer, tuple) or not all(isinstance(outcome, Outcome) for outcome in answer):
        raise TypeError(f"scale answered {answer!r}, which is no tuple of outcomes")
    answered = {outcome.process_type for outcome in answer}
    return (*answer, *(Outcome(change.process_type, "the backend gave no outcome") for change in changes if change.process_type not in answered))


def pauses_in_force(types: tuple[TypeSettings, ...], operator: Mapping[str, Pause]) -> dict[str, Pause]:
    """Merge the operator's pauses with those of the configuration; leave out types that nothing holds."""
    merged = {one.name: _merge(one.pause, operator.get(one.name, Pause())) for one in types}
    return {name: pause for name, pause in merged.items() if pause.scale_out or pause.scale_in}


def pause_notice(process_type: str, pause: Pause | None, now: float, at: float) -> Notice:
    """Tell that a pause began, changed or ended."""
    if pause is None:
        return Notice(event="resume", now=now, at=at, details={"process_type": process_type})
    details: dict[str, Json] = {"process_type": process_type, "scale_out": pause.scale_out, "scale_in": pause.scale_in, "reason": pause.reason}
    return Notice(event="pause", now=now, at=at, details=details)


def _merge(first: Pause, second: Pause) -> Pause:
    reason = "; ".join(dict.fromkeys(filter(None, (first.reason, second.reason))))
    return Pause(first.scale_out or second.scale_out, first.scale_in or second.scale_in, reason)
