"""Say that a plant has lost count of its requests."""

from __future__ import annotations

from autoscaler.model import AutoscalerError


class ConservationError(AutoscalerError):
    """A law that every queue obeys does not hold, so no figure of this run can be believed: a mistake in the plant."""
