"""Guard of stage 6: start no process that the host has no memory for."""

from __future__ import annotations

from autoscaler.decide.situation import Ceiling, Situation
from autoscaler.model import Adjustment, Observation

_MEBIBYTE = 1024**2


def ceiling_of(observation: Observation) -> Ceiling | None:
    """Return the most processes there is memory for: those asked for, and as many more as fit; ``None`` where nothing is known."""
    needed = observation.process_type.memory_bytes
    if observation.room is None or needed is None:
        return None
    fits = "no more fits" if observation.room == 0 else f"only {observation.room} more {'fits' if observation.room == 1 else 'fit'}"
    reason = f"{fits} in the host's free memory at {needed / _MEBIBYTE:.6g} MiB each"
    return Ceiling(observation.counts.desired + observation.room, "memory", reason)


def hold_without_room(situation: Situation, processes: int) -> Adjustment | None:
    """Hold scale-out to what the memory allows."""
    ceiling = situation.ceiling
    if ceiling is None or processes <= max(ceiling.processes, situation.current):
        return None
    return Adjustment(ceiling.rule, processes, max(ceiling.processes, situation.current), ceiling.reason)
