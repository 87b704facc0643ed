"""The error of a scenario that is well written and cannot be run."""

from __future__ import annotations

from autoscaler.model import AutoscalerError


class ScenarioError(AutoscalerError):
    """A scenario cannot be run; the text names file, key and cause."""
