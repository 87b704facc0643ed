"""Scale units of systemd, on this machine or on many hosts."""

from autoscaler.act.systemd.plugin import Systemd

__all__ = ["Systemd"]
