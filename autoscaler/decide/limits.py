"""Stage 8: keep within minimum and maximum, on every tick, with or without metrics; first of all, leave off what is off."""

from __future__ import annotations

from autoscaler.decide.situation import Situation
from autoscaler.model import Adjustment

OFF = "set to 0 by hand, off until it is raised by hand"


def limit(situation: Situation, processes: int) -> Adjustment | None:
    """Raise to the minimum or lower to the maximum; the minimum does not hold for a type that is off, nor beyond a ceiling."""
    if situation.memory.is_off:
        return None
    if processes < situation.minimum:
        return _raise(situation, processes)
    maximum = situation.bounds.hard_maximum if situation.bounds else situation.settings.process_type.maximum
    if processes > maximum:
        is_window = situation.bounds is not None and maximum < situation.settings.process_type.maximum
        reason = situation.bounds.maximum_reason if situation.bounds and is_window else f"the maximum is {maximum}"
        return Adjustment("limits", processes, maximum, reason)
    return None


def _raise(situation: Situation, processes: int) -> Adjustment | None:
    minimum, ceiling = situation.minimum, situation.ceiling
    if ceiling is None or ceiling.processes >= minimum:
        return Adjustment("limits", processes, minimum, say_minimum(situation))
    if ceiling.processes <= processes:
        return None
    return Adjustment("limits", processes, ceiling.processes, f"{say_minimum(situation)}, but {ceiling.reason}")


def say_minimum(situation: Situation) -> str:
    """Say what the minimum is, and where it comes from when it is not the configuration's own."""
    bounds = situation.bounds
    own = situation.settings.process_type.minimum
    return bounds.minimum_reason if bounds and bounds.minimum > own else f"the minimum is {situation.minimum}"


def keep_off(situation: Situation, processes: int) -> Adjustment | None:
    """Leave a type at 0 that somebody set to 0 by hand, whatever its policies want, until it is raised by hand."""
    if not situation.memory.is_off:
        return None
    return Adjustment("limits", processes, 0, OFF)


def keep_single(situation: Situation, processes: int) -> Adjustment | None:
    """Run a singleton once at most, and only when the one before it is gone."""
    if not situation.settings.process_type.is_singleton or processes < 1:
        return None
    counts = situation.observation.counts
    if counts.desired == 0 and counts.draining + counts.unknown > 0:
        return Adjustment("singleton", processes, 0, "a singleton, and the one before it may still run")
    return Adjustment("singleton", processes, 1, "a singleton, never two") if processes > 1 else None
