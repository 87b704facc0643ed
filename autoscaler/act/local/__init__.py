"""Run the formation as local child processes."""

from autoscaler.act.local.plugin import Local

__all__ = ["Local"]
