"""The run: polls and ticks on time, whatever hangs, fails or steps; and a reload in the middle."""

import json
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import apscheduler.schedulers.base
import pytest

from autoscaler.clock import SystemClock
from autoscaler.loop import Controller
from autoscaler.loop.controller import BusyError
from autoscaler.loop.polls import Polls
from autoscaler.loop.watch import Watch
from autoscaler.observe.metric import MetricSettings


@pytest.fixture
def stepped_clock(monkeypatch):
    """A system clock whose wall time, and that of apscheduler, is off by ``seconds``."""

    class SteppedClock(SystemClock):
        seconds = 0.0

        def wall(self):
            return super().wall() + self.seconds

    clock = SteppedClock()

    class SteppedDatetime(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromtimestamp(clock.wall(), tz)

    monkeypatch.setattr(apscheduler.schedulers.base, "datetime", SteppedDatetime)
    return clock


@pytest.fixture
def running():
    """Run a controller in a thread until the block ends, and see that it ends."""

    @contextmanager
    def run(controller):
        stop = threading.Event()
        thread = threading.Thread(target=controller.run, args=(stop,), daemon=True)
        thread.start()
        yield stop, thread
        stop.set()
        thread.join(5.0)
        assert not thread.is_alive()

    return run


class Scene:
    """What a run is made of, each part made once."""

    def __init__(self, make_settings, make_source, make_backend, make_listener):
        self.make_settings, self.make_source, self.make_backend = make_settings, make_source, make_backend
        self.source, self.backend, self.listener = make_source([4.0]), make_backend({"worker": 1, "web": 1}), make_listener()

    def settings(self, *names, source=None, metric="jobs"):
        return self.make_settings(source or self.source, *names, interval=0.1, metric=metric)

    def control(self, clock=None, source=None, backend=None):
        settings, backends = self.settings(source=source), {"default": backend or self.backend}
        return Controller(settings, backends, clock=clock or SystemClock(), pauses=lambda _at: {}, listeners=[self.listener])

    def reload(self, controller, *names, source, metric="jobs", backend=None):
        controller.reload(self.settings(*names, source=source, metric=metric), lambda: {"default": backend or self.backend})


@pytest.fixture
def scene(make_settings, make_source, make_backend, make_listener):
    return Scene(make_settings, make_source, make_backend, make_listener)


def test_a_run_polls_ticks_and_scales(scene, running, eventually):
    with running(scene.control()):
        eventually(lambda: scene.backend.types["worker"].counts.desired == 4)
        eventually(lambda: len(scene.listener.ticks) > 3)

    assert [notice.event for notice in scene.listener.notices] == ["start"]


def test_a_hanging_source_stops_neither_ticks_nor_the_end(scene, running, eventually):
    release, ticks = threading.Event(), scene.listener.ticks
    source = scene.make_source([4.0], release)
    with running(scene.control(source=source)):
        eventually(lambda: ticks and "no answer within" in (ticks[-1].board["jobs"].cause or ""))
        seen = len(ticks)
        eventually(lambda: len(ticks) > seen + 3)
    release.set()

    assert len(source.polls) == 1  # one question in flight, never a second


def test_the_end_waits_for_no_hanging_tick(scene, running, eventually):
    entered, release = threading.Event(), threading.Event()

    class Hanging(scene.make_backend):
        def observe(self):
            entered.set()
            release.wait(30.0)
            return super().observe()

    backend = Hanging({"worker": 1})
    with running(scene.control(backend=backend)):
        assert entered.wait(10.0)
    release.set()
    eventually(lambda: not any(thread.name.startswith(("control-", "first-tick")) for thread in threading.enumerate()))

    assert backend.calls == []  # stopped is stopped


@pytest.mark.parametrize("hours", [1, -1])
def test_ticks_go_on_when_the_wall_clock_jumps(scene, running, eventually, stepped_clock, hours):
    ticks, notices = scene.listener.ticks, scene.listener.notices
    with running(scene.control(stepped_clock)):
        eventually(lambda: len(ticks) > 2)
        stepped_clock.seconds = hours * 3600.0
        eventually(lambda: any(notice.event == "clock_step" for notice in notices))
        seen = len(ticks)
        eventually(lambda: len(ticks) > seen + 3)

    assert [notice.details["seconds"] for notice in notices if notice.event == "clock_step"] == [pytest.approx(hours * 3600.0, abs=1.0)]


def test_a_tick_that_fails_is_told_with_the_next(scene, running, eventually):
    controller = scene.control()
    entries, calls = controller._polls.entries, []

    def entries_once_broken(now):
        calls.append(now)
        if len(calls) == 1:
            raise RuntimeError("a bug of ours")
        return entries(now)

    controller._polls.entries = entries_once_broken
    with running(controller):
        eventually(lambda: scene.listener.ticks)

    assert scene.listener.ticks[0].errors["tick"] == "RuntimeError: a bug of ours"


def test_a_reload_keeps_the_past_and_polls_anew(scene, running, eventually):
    controller, backend, ticks = scene.control(), scene.backend, scene.listener.ticks
    with running(controller):
        eventually(lambda: len(ticks) > 3)
        source = scene.make_source([2.0])
        scene.reload(controller, "worker", "web", source=source, metric="visits")
        eventually(lambda: source.polls)
        eventually(lambda: backend.types["web"].counts.desired == 2)

    kept = next(one for one in ticks[-1].decisions if one.observation.process_type.name == "worker")
    assert kept.answers[0].answer.memory > 3
    assert [notice.event for notice in scene.listener.notices] == ["start", "reload"]


def test_reloading_leaves_one_timetable(scene, running, eventually):
    controller = scene.control()
    with running(controller):
        eventually(lambda: len(scene.listener.ticks) > 1)
        for _ in range(3):
            scene.reload(controller, source=scene.make_source([2.0]))

        assert len(controller._timetable._scheduler.get_jobs()) == 2


def test_another_backend_is_no_change_by_somebody_else(scene, running, eventually):
    """A new backend begins at 0: nobody switched the type off."""
    controller, ticks, moved = scene.control(), scene.listener.ticks, scene.make_backend({"worker": 0})
    with running(controller):
        eventually(lambda: scene.backend.types["worker"].counts.desired == 4)
        scene.reload(controller, source=scene.source, backend=moved)
        eventually(lambda: moved.types["worker"].counts.desired == 4)

    assert not any("somebody else" in decision.reason for tick in ticks for decision in tick.decisions)
    assert scene.listener.notices[-1].details["moved"] == ["worker"]


def test_the_reload_is_told_before_its_first_tick(scene, running, eventually):
    controller, told = scene.control(), []
    scene.listener.ticked = lambda tick: told.append(len(tick.decisions))
    scene.listener.noticed = lambda notice: told.append(notice.event)
    with running(controller):
        eventually(lambda: len(told) > 3)
        scene.reload(controller, "worker", "web", source=scene.source)
        eventually(lambda: 2 in told)

    assert told[told.index("reload") + 1 :] == [2] * (len(told) - told.index("reload") - 1)
    assert 2 not in told[: told.index("reload")]


def test_a_reload_while_a_tick_hangs_is_refused(scene, running, monkeypatch):
    entered, release = threading.Event(), threading.Event()
    monkeypatch.setattr("autoscaler.loop.controller._RELOAD_SECONDS", 0.1)

    class Hanging(scene.make_backend):
        def observe(self):
            entered.set()
            release.wait(30.0)
            return super().observe()

    controller = scene.control(backend=Hanging({"worker": 1}))
    with running(controller):
        assert entered.wait(10.0)
        with pytest.raises(BusyError, match="reload again when its backend answers"):
            scene.reload(controller, source=scene.source)
        release.set()


def test_a_poll_that_hangs_does_not_hold_up_its_successors(scene, running, eventually):
    release, controller = threading.Event(), scene.control()
    with running(controller):
        for _ in range(3):
            hanging = scene.make_source([4.0], release)
            scene.reload(controller, source=hanging)
            eventually(lambda hanging=hanging: hanging.polls)
        healthy = scene.make_source([2.0])
        scene.reload(controller, source=healthy)
        eventually(lambda: healthy.polls)
        release.set()


def test_many_first_polls_begin_a_little_apart(scene):
    class Listed:
        def __init__(self):
            self.delays = []

        def poll_every(self, _seconds, after, _name, _call):
            self.delays.append(after)

    timetable, metrics = Listed(), tuple(MetricSettings(name=f"m{number}", source=scene.source) for number in range(120))
    settings = replace(scene.settings(), metrics=metrics)
    Polls(settings, Watch(settings, {}), SystemClock()).plan(timetable)

    assert sorted(set(timetable.delays)) == pytest.approx([0.0, 0.1, 0.2])


def test_the_state_between_ticks_is_all_that_a_replay_needs(scene, running, eventually):
    controller = scene.control()
    with running(controller):
        eventually(lambda: len(scene.listener.ticks) > 3)
        controller.tell_state()

    state = next(notice.details for notice in scene.listener.notices if notice.event == "state")
    assert sorted(state) == ["configuration", "state", "version"]
    assert state["state"]["memories"]["worker"]["policies"]["per_job"] >= 1
    assert json.dumps(state)
