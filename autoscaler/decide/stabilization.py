"""Stage 3: scale out no higher than the lowest wish of its window, scale in no lower than the highest of its window.

After Kubernetes HPA v2, ``behavior`` (2020): the size moves only as far as every wish of the window agrees.
"""

from __future__ import annotations

from autoscaler.decide.exact import brief
from autoscaler.decide.situation import Situation
from autoscaler.decide.window import highest, lowest
from autoscaler.model import Adjustment


def stabilize(situation: Situation, processes: int) -> Adjustment | None:
    """Hold the number to what the whole window wanted; the memory's windows do not yet hold this tick's wish."""
    current = situation.current
    if processes > current:
        return _scale_out(situation, processes)
    return _scale_in(situation, processes) if processes < current else None


def _scale_out(situation: Situation, processes: int) -> Adjustment | None:
    span = situation.settings.scale_out.stabilization_seconds
    floor = lowest(situation.memory.lowest, situation.now, span)
    if floor is None or floor >= processes:
        return None
    held = max(floor, situation.current)
    return Adjustment("stabilization", processes, held, f"{floor} is the lowest of the last {brief(span)} s")


def _scale_in(situation: Situation, processes: int) -> Adjustment | None:
    span = situation.settings.scale_in.stabilization_seconds
    ceiling = highest(situation.memory.highest, situation.now, span)
    if ceiling is None or ceiling <= processes:
        return None
    held = min(ceiling, situation.current)
    return Adjustment("stabilization", processes, held, f"{ceiling} is the highest of the last {brief(span)} s")
