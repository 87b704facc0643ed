"""The failure of a score: it was asked for something that cannot be measured."""

from __future__ import annotations

from autoscaler.model import AutoscalerError


class ScoreError(AutoscalerError):
    """An objective, a duration or an interval that no score can be made of; the text names it, its value and the fix."""
