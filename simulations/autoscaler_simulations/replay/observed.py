"""Make the observations of a recorded tick fit the types of a configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from autoscaler.decide.settings import TypeSettings
from autoscaler.model import Observation, ProcessType, Reading
from autoscaler.record import RecordedDecision
from autoscaler_simulations.replay.ticks import RecordedTick
from autoscaler_simulations.replay.told import Told

UNRECORDED = "the record has no reading of it"


def observations_of(types: Iterable[TypeSettings], recorded: Mapping[str, ProcessType], tick: RecordedTick, told: Told) -> dict[str, Observation]:
    """Return what each type of a configuration could know at a tick; types that were not observed then are left out.

    A metric that one type read is known to all. ``recorded`` are the types as they were configured, where that is known.
    """
    readings = {metric: reading for written in tick.decisions for metric, reading in written.decision.readings.items()}
    missing = {metric: cause for written in tick.decisions for metric, cause in written.decision.missing.items()}
    seen = {written.decision.process_type: written.decision for written in tick.decisions}
    return {
        one.name: _observation(one, _reading_of(one, seen[one.name], readings, missing), recorded.get(one.name), told)
        for one in types
        if one.name in seen
    }


def _reading_of(one: TypeSettings, decision: RecordedDecision, readings: Mapping[str, Reading], missing: Mapping[str, str]) -> RecordedDecision:
    """Give a decision the readings of the metrics that this configuration reads for its type, in the order of the policies."""
    if (*decision.readings, *decision.missing) == one.metrics:
        return decision
    found = {metric: readings[metric] for metric in one.metrics if metric in readings}
    lacking = {metric: missing.get(metric, UNRECORDED) for metric in one.metrics if metric not in readings}
    return replace(decision, readings=found, missing=lacking)


def _observation(one: TypeSettings, decision: RecordedDecision, recorded: ProcessType | None, told: Told) -> Observation:
    observation = decision.observation(one.process_type, told.of(one.name))
    if observation.room is None or recorded is None or recorded == one.process_type:
        return observation
    return replace(observation, room=_room(one.process_type, recorded, observation.room))


def _room(process_type: ProcessType, recorded: ProcessType, room: int) -> int | None:
    """Turn the room for processes of the recorded size into room for another size; a room as large as the maximum was not counted further."""
    if room >= recorded.maximum or not recorded.memory_bytes or not process_type.memory_bytes:
        return None
    return room * recorded.memory_bytes // process_type.memory_bytes
