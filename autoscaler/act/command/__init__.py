"""Run the formation by any other process manager, by its own commands."""

from autoscaler.act.command.plugin import Command

__all__ = ["Command"]
