"""The errors that everything else is derived from."""

from __future__ import annotations


class AutoscalerError(Exception):
    """Any failure that the autoscaler can name; the text is one sentence an operator can act on."""


class MissingReadingError(AutoscalerError):
    """A policy asked for a metric that has no usable reading now."""

    def __init__(self, metric: str, cause: str) -> None:
        """Keep the metric and why it is missing."""
        super().__init__(f"{metric} is missing: {cause}")
        self.metric, self.cause = metric, cause
