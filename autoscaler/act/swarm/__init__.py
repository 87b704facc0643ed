"""The backend of Docker Swarm: one replicated service for each process type."""

from autoscaler.act.swarm.plugin import Swarm

__all__ = ["Swarm"]
