"""Poll every metric once and take one tick, for the commands that look and leave."""

from __future__ import annotations

from autoscaler.events import Tick
from autoscaler.loop import Controller
from autoscaler.observe.source import ReadsEachProcess
from autoscaler.settings import Settings


def take_one_tick(controller: Controller, settings: Settings) -> Tick:
    """Return the first tick that has readings; metrics read from each process need a tick before, which finds the processes."""
    if any(isinstance(metric.source, ReadsEachProcess) and metric.source.process_type for metric in settings.metrics):
        controller.tick()
    controller.poll_all()
    return controller.tick()
