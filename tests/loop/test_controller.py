"""One tick: what it sees, decides, does and tells."""

from dataclasses import replace

import pytest

from autoscaler.act.backend import BackendError
from autoscaler.clock import VirtualClock
from autoscaler.decide.settings import Pause, Schedule, Window
from autoscaler.loop import Controller
from autoscaler.model import Address, Change, Counts, Process, TypeFormation
from autoscaler.observe.source import SourceError
from autoscaler.pauses import PausesError


def test_a_tick_observes_decides_and_acts(make_rig):
    rig = make_rig(5.0)
    rig.controller.poll_all()
    tick = rig.controller.tick()

    assert rig.backend.calls == [(Change("worker", 2, 5, "5 jobs"),)]
    assert (tick.decisions[0].action, tick.decisions[0].target) == ("scale_out", 5)
    assert rig.listener.ticks == [tick]


def test_a_backend_is_only_told_what_changes(make_rig):
    rig = make_rig(2.0)
    rig.controller.poll_all()
    rig.controller.tick()

    assert rig.backend.calls == []


def test_before_the_first_reading_the_size_is_held(make_rig):
    tick = make_rig(9.0).controller.tick()

    assert tick.decisions[0].reason == "jobs is missing: not read yet; holding 2"
    assert not tick.is_complete


def test_a_tick_is_complete_once_all_was_asked(make_rig):
    rig = make_rig()
    rig.controller.poll_all()

    assert rig.controller.tick().is_complete


def test_a_policy_that_raises_is_missing_and_stops_nobody(make_rig):
    class Broken:
        def recommend(self, _observation, _memory):
            raise ZeroDivisionError("division by zero")

    rig = make_rig(5.0, policy=Broken())
    tick = rig.controller.tick()

    assert tick.decisions[0].reason == "policy per_job is missing: ZeroDivisionError: division by zero; holding 2"


def test_a_source_that_raises_is_counted_and_named(make_rig):
    rig = make_rig(RuntimeError("driver bug"))
    rig.controller.poll_all()
    entry = rig.controller.tick().board["jobs"]

    assert entry.cause == "RuntimeError: driver bug"
    assert entry.errors == 1


@pytest.mark.parametrize("trouble", [BackendError("the bus is gone"), RuntimeError("the bus is gone")])
def test_a_backend_that_cannot_observe_leaves_its_types_alone(make_rig, trouble):
    rig = make_rig(5.0)
    rig.backend.trouble["observe"] = trouble
    tick = rig.controller.tick()

    assert tick.decisions == ()
    assert "not observed" in tick.errors["worker"]
    assert "the bus is gone" in tick.errors["worker"]


def test_a_backend_that_cannot_scale_is_asked_again(make_rig):
    rig = make_rig(5.0)
    rig.controller.poll_all()
    rig.backend.trouble["scale"] = BackendError("quota of 4 reached")
    refused = rig.controller.tick()
    rig.backend.trouble.clear()
    rig.clock.advance(5.0)
    rig.controller.tick()

    assert refused.errors == {"worker": "not scaled: quota of 4 reached"}
    assert rig.backend.calls[0][0].target == 5


def test_one_backend_failing_does_not_stop_another(make_rig, make_settings, make_backend, make_source):
    rig = make_rig(5.0)
    source, good, bad = make_source([5.0]), make_backend({"good": 2}), make_backend({"bad": 2})
    bad.trouble["observe"] = BackendError("gone")
    types = make_settings(source, "good", backend="a").types + make_settings(source, "bad", backend="b").types
    settings = make_settings(source)
    object.__setattr__(settings, "types", types)
    controller = Controller(settings, {"b": bad, "a": good}, clock=rig.clock, pauses=lambda _at: {}, listeners=[])
    controller.poll_all()
    tick = controller.tick()

    assert list(tick.errors) == ["bad"]
    assert good.calls[0][0].target == 5


@pytest.mark.parametrize("answer", [None, "done", (3,)])
def test_a_backend_that_breaks_its_contract_is_named(make_rig, answer):
    rig = make_rig(5.0)
    rig.controller.poll_all()
    rig.backend.scale = lambda _changes: answer

    assert "which is no tuple of outcomes" in rig.controller.tick().errors["worker"]


def test_a_change_without_an_outcome_is_an_error(make_rig):
    rig = make_rig(5.0)
    rig.controller.poll_all()
    rig.backend.scale = lambda _changes: ()

    assert rig.controller.tick().errors == {"worker": "not scaled: the backend gave no outcome"}


def test_a_backend_speaks_only_for_its_own_types(make_rig, make_settings, make_backend, make_source):
    rig, source = make_rig(5.0), make_source([5.0])
    mine, other = make_backend({"worker": 7}), make_backend({"worker": 0, "stranger": 3})
    settings = make_settings(source, "worker", backend="a")
    controller = Controller(settings, {"a": mine, "b": other}, clock=rig.clock, pauses=lambda _at: {}, listeners=[])
    controller.poll_all()
    tick = controller.tick()

    assert tick.decisions[0].observation.counts.desired == 7
    assert tick.is_complete


def test_a_type_its_backend_does_not_know_is_named(make_rig):
    rig = make_rig(5.0)
    rig.backend.types.clear()

    assert rig.controller.tick().errors == {"worker": "not observed: backend default does not know it"}


def test_readings_are_judged_after_observing(make_rig):
    """A backend that took a minute to answer has let the readings grow old."""
    rig = make_rig(0.0)
    rig.controller.poll_all()
    observe = rig.backend.observe
    rig.backend.observe = lambda: (rig.clock.advance(60.0), observe())[1]

    assert "newest sample is 60 s old" in rig.controller.tick().decisions[0].reason


def test_processes_stay_known_while_their_backend_is_away(make_rig):
    rig = make_rig(2.0)
    rig.backend.types["worker"] = TypeFormation(Counts(1, 1), (Process("worker.1", "running", Address("127.0.0.1", 15000)),))
    object.__setattr__(rig.source, "process_type", "worker")
    rig.controller._polls.change(rig.controller._settings)
    rig.controller.tick()
    rig.backend.trouble["observe"] = BackendError("gone")
    rig.controller.tick()
    rig.controller.poll_all()

    assert list(rig.source.polls[0].processes) == ["worker.1"]


def test_a_listener_that_raises_is_told_of_and_stops_nobody(make_rig, make_listener):
    class Broken(make_listener):
        def ticked(self, _tick):
            raise OSError("no space left")

    rig = make_rig(5.0)
    healthy = make_listener()
    controller = Controller(rig.controller._settings, {"default": rig.backend}, clock=rig.clock, pauses=lambda _at: {}, listeners=[Broken(), healthy])
    controller.tick()
    rig.clock.advance(5.0)

    assert controller.tick().errors["Broken"] == "OSError: no space left"
    assert len(healthy.ticks) == 2


def test_an_operator_pause_holds_and_is_noted_once(make_rig):
    rig = make_rig(9.0)
    rig.controller.poll_all()
    rig.pauses["worker"] = Pause(scale_out=True, scale_in=True, reason="deploy")
    targets = [rig.controller.tick().decisions[0].target for _ in range(2)]
    rig.pauses.clear()
    rig.controller.tick()

    assert targets == [2, 2]
    assert [(notice.event, notice.details["process_type"]) for notice in rig.listener.notices] == [("pause", "worker"), ("resume", "worker")]


def test_pauses_that_cannot_be_read_stay_as_they_were(make_rig):
    rig = make_rig(9.0)
    rig.pauses["worker"] = Pause(scale_out=True, scale_in=True)
    rig.controller.poll_all()
    rig.controller.tick()
    rig.controller._read_pauses = lambda _at: (_ for _ in ()).throw(PausesError("pauses.json is broken; remove it"))
    tick = rig.controller.tick()

    assert tick.decisions[0].target == 2
    assert tick.errors == {"pause": "pauses.json is broken; remove it"}


def test_a_measured_startup_is_noted_when_it_changes(make_rig):
    rig = make_rig(2.0)
    rig.backend.types["worker"] = TypeFormation(Counts(2, 2), startup_seconds=1.5)
    rig.controller.tick()
    tick = rig.controller.tick()

    assert [notice.details for notice in rig.listener.notices] == [{"process_type": "worker", "seconds": 1.5}]
    assert tick.decisions[0].observation.startup_seconds == 1.5


def test_a_source_of_each_process_gets_the_ready_ones(make_rig):
    rig = make_rig(2.0)
    processes = (
        Process("worker.1", "running", Address("127.0.0.1", 15000)),
        Process("worker.2", "starting", Address("127.0.0.1", 15001)),
    )
    rig.backend.types["worker"] = TypeFormation(Counts(2, 1, 1), processes)
    object.__setattr__(rig.source, "process_type", "worker")
    rig.controller._polls.change(rig.controller._settings)
    rig.controller.tick()
    rig.controller.poll_all()

    assert rig.source.polls[0].processes == {"worker.1": Address("127.0.0.1", 15000)}


def test_ticks_that_came_too_late_are_counted(make_rig):
    rig = make_rig(2.0)
    rig.controller.tick()
    rig.clock.advance(5.1)
    on_time = rig.controller.tick().missed
    rig.clock.advance(20.0)

    assert (on_time, rig.controller.tick().missed) == (0, 3)


def test_the_reaction_runs_from_sample_to_backend(make_rig):
    rig = make_rig(9.0)
    rig.controller.poll_all()
    rig.clock.advance(1.25)

    assert rig.controller.tick().reactions == {"worker": 1.25}


def test_a_wall_clock_step_changes_no_decision(make_rig):
    rig = make_rig(7.0, 2.0)
    rig.controller.poll_all()
    rig.clock.step_wall(-3600.0)
    out = rig.controller.tick().decisions[0]
    rig.clock.step_wall(7200.0)
    rig.clock.advance(5.0)
    rig.controller.poll_all()

    assert (out.target, rig.controller.tick().decisions[0].target) == (7, 2)


def test_a_thousand_types_are_decided_in_one_tick(make_rig):
    rig = make_rig(3.0, names=tuple(f"type{number}" for number in range(1000)))
    rig.controller.poll_all()

    assert sum(decision.target for decision in rig.controller.tick().decisions) == 3000
    assert len(rig.backend.calls) == 1


def test_a_rate_is_polled_twice_by_those_who_look_once(make_rig):
    rig = make_rig(1.0, 7.0)
    object.__setattr__(rig.source, "needs_two_polls", True)
    rig.controller.poll_all()

    assert rig.controller.tick().decisions[0].target == 7


def test_what_came_from_the_environment_is_shown_as_written(make_rig, make_settings):
    rig = make_rig()
    rig.backend.trouble["observe"] = BackendError("no socket /run/s3cret/bus")
    source = type(rig.source)([SourceError("no file /none/s3cret")])
    settings = replace(make_settings(source), hide=lambda text: text.replace("s3cret", "${NAME}"))
    controller = Controller(settings, {"default": rig.backend}, clock=rig.clock, pauses=lambda _at: {}, listeners=[])
    controller.poll_all()
    tick = controller.tick()

    assert tick.errors["worker"] == "not observed: no socket /run/${NAME}/bus"
    assert tick.board["jobs"].cause == "no file /none/${NAME}"


def test_tick_tells_the_limits_that_a_window_sets_at_the_moment(make_settings, make_source, make_backend, make_listener):
    window = Schedule("UTC", (Window(cron="* * * * *", for_seconds=60.0, minimum=3, maximum=7),))
    settings = make_settings(make_source([5.0]), "worker", "web")
    settings = replace(settings, types=(replace(settings.types[0], schedule=window), settings.types[1]))
    backend = make_backend({"worker": 2, "web": 2})
    controller = Controller(settings, {"default": backend}, clock=VirtualClock(1000.0, 1e9), pauses=lambda _at: {}, listeners=[make_listener()])

    assert controller.tick().limits == {"worker": (3, 7), "web": (0, 50)}
