"""A backend that cannot wait for the next interval gets a tick at once, and what it saw is told."""

import threading
import time

import pytest

from autoscaler.act.dry_run import Shadow
from autoscaler.clock import SystemClock
from autoscaler.decide.settings import TypeSettings
from autoscaler.loop import Controller
from autoscaler.loop.values import observation_of
from autoscaler.loop.wake import Wake
from autoscaler.model import Counts, ProcessType, TypeFormation

_HOUR = 3600.0


@pytest.fixture
def make_waking(make_backend):
    class Waking(make_backend):
        """Remembers how to wake the controller, and counts the looks at it."""

        looks = 0
        wake = None

        def observe(self):
            self.looks += 1
            return super().observe()

        def wake_with(self, call):
            self.wake = call

    return Waking


@pytest.fixture
def make_controller(make_settings, make_source, make_listener):
    def make(backend):
        settings = make_settings(make_source([1.0]), interval=_HOUR)
        return Controller(settings, {"default": backend}, clock=SystemClock(), pauses=lambda _at: {}, listeners=[make_listener()])

    return make


@pytest.fixture
def run(make_controller):
    """Run a controller of a backend in a thread, and end it with the test."""
    stop, threads = threading.Event(), []

    def begin(backend):
        controller = make_controller(backend)
        threads.append(threading.Thread(target=controller.run, args=(stop,), daemon=True))
        threads[-1].start()
        return controller

    yield begin
    stop.set()
    for thread in threads:
        thread.join(5.0)
        assert not thread.is_alive()


def test_a_wake_brings_a_tick_at_once(make_waking, run, eventually):
    backend = make_waking({"worker": 1})
    run(backend)
    eventually(lambda: backend.looks == 2)  # the ticks of the start; the next one of the interval is an hour away
    backend.wake()

    eventually(lambda: backend.looks == 3)


def test_a_thousand_wakes_during_a_tick_bring_one_more(eventually):
    release, ticks = threading.Event(), []
    wake = Wake(lambda: (ticks.append(time.monotonic()), release.wait(30.0)))
    wake.start()
    wake._asked.set()
    eventually(lambda: ticks)
    for _ in range(1000):
        wake._asked.set()
    release.set()
    eventually(lambda: len(ticks) == 2)
    wake._asked.set()
    eventually(lambda: len(ticks) > 2)
    wake.stop()

    assert len(ticks) == 3
    assert ticks[1] - ticks[0] >= 0.1


def test_a_wake_after_a_reload_brings_a_tick(make_waking, run, eventually):
    first, second = make_waking({"worker": 1}), make_waking({"worker": 1})
    controller = run(first)
    eventually(lambda: first.looks == 2)
    controller.reload(controller._settings, lambda: {"default": second})
    looks = eventually(lambda: second.looks)
    second.wake()

    eventually(lambda: second.looks > looks)


def test_a_wake_waits_for_the_tick_under_way(make_waking, run, eventually):
    release, inside = threading.Event(), []

    class Slow(make_waking):
        def observe(self):
            inside.append("in")
            release.wait(30.0)
            inside.append("out")
            return super().observe()

    backend = Slow({"worker": 1})
    run(backend)
    eventually(lambda: backend.wake and inside)
    backend.wake()
    release.set()
    eventually(lambda: backend.looks >= 3)

    assert inside[::2] == ["in"] * (len(inside) // 2)
    assert inside[1::2] == ["out"] * (len(inside) // 2)


def test_a_wake_before_the_start_and_after_the_end_is_harmless():
    ticks = []
    wake = Wake(lambda: ticks.append("tick"))
    wake._asked.set()
    wake.stop()
    wake.start()
    wake._asked.set()

    assert ticks == []


def test_a_stopped_controller_makes_no_tick_of_a_wake(make_waking, make_controller):
    backend = make_waking({"worker": 1})
    controller = make_controller(backend)
    controller._is_stopped = True
    controller._tick_between()

    assert backend.looks == 0


def test_ticks_of_a_wake_are_no_ticks_of_the_interval(make_rig):
    rig = make_rig(2.0)
    rig.controller.tick()
    rig.clock.advance(14.0)
    rig.controller._tick_between()
    rig.clock.advance(1.0)

    assert rig.controller.tick().missed == 2  # those after 5 and 10 s


def test_a_tick_of_a_wake_that_fails_is_told_with_the_next(make_rig):
    rig = make_rig(2.0)
    entries = rig.controller._polls.entries
    rig.controller._polls.entries = lambda _now: 1 / 0
    rig.controller._tick_between()
    rig.controller._polls.entries = entries

    assert rig.controller.tick().errors["tick"] == "ZeroDivisionError: division by zero"


def test_who_only_looks_wakes_nobody(make_waking):
    backend = make_waking({"worker": 1})

    assert Wake(lambda: None).connect({"default": Shadow(backend)}) == {}
    assert backend.wake is None


def test_a_backend_that_cannot_be_connected_is_named(make_waking):
    class Broken(make_waking):
        def wake_with(self, _call):
            raise OSError("no thread")

    healthy = make_waking({})

    assert Wake(lambda: None).connect({"a": Broken({}), "b": healthy}) == {"a": "OSError: no thread"}
    assert healthy.wake is not None


def test_what_decisions_depend_on_is_noted_when_it_changes(make_rig):
    rig = make_rig(2.0)
    rig.controller.tick()
    rig.backend.types["worker"] = TypeFormation(Counts(2, 0, 2), is_crash_looping=True, is_called=True)
    rig.controller.tick()
    rig.controller.tick()

    told = [(notice.event, notice.details) for notice in rig.listener.notices]
    assert told == [("crash_loop", {"process_type": "worker", "crash_looping": True}), ("called", {"process_type": "worker", "called": True})]


def test_the_state_of_a_record_holds_what_was_seen(make_rig):
    rig = make_rig(2.0)
    rig.backend.types["worker"] = TypeFormation(Counts(2, 2), startup_seconds=1.5, is_called=True)
    rig.controller.tick()
    rig.controller.tell_state()

    state = rig.listener.notices[-1].details["state"]
    assert state["startups"] == {"worker": 1.5}
    assert state["seen"] == {"worker": {"crash_looping": False, "called": True, "room": None, "unready": None, "idlest": True}}


@pytest.mark.parametrize(
    ("memory", "free", "room"), [(1000, 2999, 2), (1000, 999, 0), (1000, 0, 0), (1000, 10**9, 5), (1000, None, None), (None, 2999, None)]
)
def test_the_room_is_what_the_free_memory_holds_up_to_the_maximum(memory, free, room):
    one = TypeSettings(process_type=ProcessType(name="web", minimum=0, maximum=5, memory_bytes=memory), policies=())
    seen = TypeFormation(Counts(0), free_memory_bytes=free, is_called=True)
    observation = observation_of(one, seen, {}, 1.0, 2.0)

    assert (observation.room, observation.is_called) == (room, True)
