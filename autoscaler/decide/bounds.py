"""Stage 2: keep what the policies want within the bounds of this moment, before any limit on the speed of change."""

from __future__ import annotations

from dataclasses import replace

from autoscaler.decide.schedule import bounds_at
from autoscaler.decide.settings import TypeSettings
from autoscaler.decide.situation import Bounds, Situation
from autoscaler.model import Adjustment, Observation


def scheduled_bounds(settings: TypeSettings, observation: Observation) -> Bounds | None:
    """Return what the schedule says of the bounds; ``None`` when only the configuration does."""
    return bounds_at(settings.process_type, settings.schedule, observation.at) if settings.schedule else None


def keep_within(situation: Situation, processes: int) -> Adjustment | None:
    """Raise to the minimum or lower to the maximum of this moment."""
    bounds = situation.bounds
    if bounds is None:
        return None
    if processes < bounds.minimum and bounds.minimum > situation.settings.process_type.minimum:
        return Adjustment(bounds.minimum_rule, processes, bounds.minimum, bounds.minimum_reason)
    if processes > bounds.maximum and bounds.maximum < situation.settings.process_type.maximum:
        return Adjustment("schedule", processes, bounds.maximum, bounds.maximum_reason)
    return None


def answer_call(settings: TypeSettings, bounds: Bounds | None) -> Bounds:
    """Want one process at once for a connection that waits, unless a window says that none may run."""
    process_type = settings.process_type
    known = bounds or Bounds(process_type.minimum, process_type.maximum, process_type.maximum)
    if known.minimum >= 1 or known.maximum < 1:
        return known
    return replace(known, minimum=1, minimum_rule="called", minimum_reason=f"a connection came to {process_type.listen}")
