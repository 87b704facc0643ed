"""Tick: observe, decide, act; and keep polls and ticks going on time."""

from autoscaler.loop.connect import connect_backends, observe_backends
from autoscaler.loop.controller import Controller

__all__ = ["Controller", "connect_backends", "observe_backends"]
