"""Stage 8: keep within minimum and maximum, on every tick, with or without metrics; first of all, leave off what is off."""

from __future__ import annotations

from autoscaler.decide.situation import Situation
from autoscaler.model import Adjustment


def limit(situation: Situation, processes: int) -> Adjustment | None:
    """Raise to the minimum or lower to the maximum; the minimum does not hold for a type that is off."""
    process_type = situation.settings.process_type
    if situation.memory.is_off:
        return None
    if processes < process_type.minimum:
        return Adjustment("limits", processes, process_type.minimum, f"the minimum is {process_type.minimum}")
    if processes > process_type.maximum:
        return Adjustment("limits", processes, process_type.maximum, f"the maximum is {process_type.maximum}")
    return None


def keep_off(situation: Situation, processes: int) -> Adjustment | None:
    """Leave a type at 0 that somebody set to 0 by hand, whatever its policies want, until it is raised by hand."""
    if not situation.memory.is_off:
        return None
    return Adjustment("limits", processes, 0, "set to 0 by hand, off until it is raised by hand")
