"""From an observation to a decision: the whole pipeline for one type."""

from __future__ import annotations

from autoscaler.decide.asking import DIRECTLY, Asking
from autoscaler.decide.course import begin_course, end_course
from autoscaler.decide.memory import Memory
from autoscaler.decide.settings import Pause, TypeSettings
from autoscaler.model import Decision, Observation


def decide(
    settings: TypeSettings, observation: Observation, memory: Memory, *, pause: Pause | None = None, asking: Asking = DIRECTLY
) -> tuple[Decision, Memory]:
    """Decide how many processes of one type should run, in a formation without a cap; the returned memory belongs to the next tick.

    ``pause`` stands in for the configuration's; ``asking`` is what calls a policy, so that a caller can guard it. For a formation
    with a cap, begin the course of every type, ``share_out`` what is left, and end the courses.
    """
    return end_course(begin_course(settings, observation, memory, settings.pause if pause is None else pause, asking), None)
