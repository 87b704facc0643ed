"""Play the demo from its temporary folder to the last check that nothing is left."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from autoscaler.clock import SystemClock
from autoscaler.config.loading import load
from autoscaler.demo.configuration import Place, choose_place, write_configuration
from autoscaler.demo.curve import Curve
from autoscaler.demo.display import Display
from autoscaler.demo.ending import Ending
from autoscaler.demo.jobs import Jobs, create
from autoscaler.demo.leftovers import end_marked
from autoscaler.demo.load import Load
from autoscaler.demo.summary import Served, Summary
from autoscaler.demo.usage import UsageListener
from autoscaler.demo.view import Story
from autoscaler.demo.waits import waits_of
from autoscaler.loop import Controller, connect_backends
from autoscaler.loop.connect import close_backends

_LOG_LINES = 5


@dataclass(frozen=True, slots=True)
class _Scene:
    """Everything that takes part in one run."""

    place: Place
    story: Story
    load: Load
    usage: UsageListener
    display: Display
    ending: Ending


def play(seconds: float, display: Display, ending: Ending) -> Summary:
    """Run the demo until its curve has ended or it is told to stop, and return how it went.

    Nothing of it is left behind, whatever happens: no process and no file. Raises ``AutoscalerError`` or ``OSError`` when it
    cannot begin.
    """
    with tempfile.TemporaryDirectory(prefix="autoscaler-demo-") as folder:
        place = choose_place(Path(folder))
        write_configuration(place, seconds)
        create(place.jobs)
        curve = Curve(seconds)
        offering = Load(curve, place.web, place.jobs, ending.stop.set)
        scene = _Scene(place, Story(curve, SystemClock().now()), offering, UsageListener(), display, ending)
        try:
            ended = _control(scene)
        finally:
            left = end_marked(place.token)
        return _summarize(scene, ended, left)


def _control(scene: _Scene) -> float:
    """Let the controller keep up with the load, and return when it ended, in monotonic seconds."""
    settings = load(scene.place.file, os.environ)
    with ExitStack() as stack:
        backends = connect_backends(settings, {})
        stack.callback(close_backends, backends, scene.ending.hurry)
        listeners = (scene.usage, scene.display)
        controller = Controller(settings, backends, clock=SystemClock(), pauses=lambda _wall: {}, listeners=listeners)
        scene.display.begin(scene.story)
        stack.callback(scene.display.stop)
        scene.load.start()
        stack.callback(scene.load.stop)
        controller.run(scene.ending.stop)
    scene.load.join()
    return SystemClock().now()


def _summarize(scene: _Scene, ended: float, left: int) -> Summary:
    offered = scene.load.offered
    with Jobs(scene.place.jobs) as jobs:
        job_waits = jobs.waits()
    return Summary(
        seconds=ended - scene.story.began,
        ended=ended,
        moments={name: tuple(moments) for name, moments in scene.usage.moments.items()},
        served=Served(len(job_waits), waits_of(job_waits), len(offered.response_seconds), len(offered.failures), waits_of(offered.response_seconds)),
        children_left=left,
        interrupted=scene.ending.interrupted.is_set(),
        faults=_faults(scene),
    )


def _faults(scene: _Scene) -> tuple[str, ...]:
    stopped = (scene.load.fault,) if scene.load.fault else ()
    unmanaged = tuple(f"{name}: {cause}" for name, cause in scene.usage.errors.items())
    return (*stopped, *unmanaged, *_last_words(scene.place))


def _last_words(place: Place) -> tuple[str, ...]:
    """Return what the children printed last: they print nothing unless they fail."""
    lines = place.log.read_text(errors="replace").splitlines() if place.log.exists() else []
    return tuple(f"a process said: {line}" for line in lines[-_LOG_LINES:])
