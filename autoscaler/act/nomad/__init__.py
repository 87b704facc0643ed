"""Scale task groups of Nomad jobs."""

from autoscaler.act.nomad.plugin import Nomad

__all__ = ["Nomad"]
