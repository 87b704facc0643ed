"""The error of a load that cannot be read or used."""

from __future__ import annotations

from autoscaler.model import AutoscalerError


class TraceError(AutoscalerError):
    """A load is unreadable or cannot be used so; the text names the file, the place, the value and the fix."""
