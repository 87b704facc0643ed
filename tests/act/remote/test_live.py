"""An engine elsewhere is asked beside the tick, told each thing once, and holds only its own types."""

import threading
import time
from threading import Event

import pytest

from autoscaler.act.backend import BackendError
from autoscaler.act.remote.engine import Verdict
from autoscaler.act.remote.live import LiveEngine, live_engine, observing
from autoscaler.model import AutoscalerError, Change, Counts
from tests.act.remote.conftest import MemoryEngine, scale
from tests.local_formation import process_type


def test_a_target_that_is_desired_already_writes_nothing(engine, connect):
    backend = connect()
    assert scale(backend, web=2, worker=0) == [None, None]
    backend.observe()
    assert scale(backend, web=2) == [None]
    assert engine.writes() == ["web 0 -> 2"]


def test_every_observation_looks_once(engine, connect):
    backend = connect()
    for _ in range(3):
        backend.observe()
    assert engine.calls == ["look"] * 3


def test_a_change_after_an_observation_looks_no_second_time(engine, connect):
    backend = connect()
    backend.observe()
    scale(backend, web=1)
    assert engine.calls == ["look", "web 0 -> 1"]


def test_a_dead_engine_is_told_by_type_and_repaired_by_the_first_good_answer(engine, connect):
    backend = connect()
    engine.failure = AutoscalerError("connection refused by engine.example")
    assert backend.observe().errors == dict.fromkeys(("web", "worker"), "connection refused by engine.example")
    engine.failure = None
    assert backend.observe().types["web"].counts == Counts(desired=0)


def test_one_type_that_is_not_known_leaves_the_others(engine, connect):
    backend = connect()
    engine.looks_are = lambda: {**engine.see(), "worker": "there is no service worker"}
    formation = backend.observe()
    assert (set(formation.types), formation.errors) == ({"web"}, {"worker": "there is no service worker"})
    assert scale(backend, web=1, worker=1) == [None, "nothing was sent: there is no service worker"]


def test_a_hanging_engine_does_not_hold_up_the_tick(engine, connect):
    backend = connect()
    engine.gate.clear()
    began = time.monotonic()
    formation = backend.observe()
    errors = scale(backend, web=1)
    assert time.monotonic() - began < 5
    assert formation.errors["web"] == "no answer yet"
    assert errors == ["nothing was sent: it was not asked yet"]


def test_a_slow_engine_is_seen_by_the_look_before(engine, connect, eventually):
    backend = connect(interval_seconds=0.4)
    engine.desired["web"] = 3
    engine.gate.clear()
    assert backend.observe().types == {}
    engine.gate.set()
    eventually(lambda: backend.observe().types)
    engine.gate.clear()
    assert backend.observe().types["web"].counts.desired == 3


def test_an_engine_slower_than_the_ticks_is_still_told(engine, connect, eventually):
    backend = connect(interval_seconds=0.4)
    backend.observe()
    engine.gate.clear()
    backend.observe()
    assert scale(backend, web=5) == [None]
    assert engine.writes() == []
    engine.gate.set()
    eventually(lambda: "web" in backend.observe().types)
    assert engine.writes() == ["web 0 -> 5"]


def test_nothing_is_sent_after_a_slow_look_that_failed(engine, connect, eventually):
    backend = connect(interval_seconds=0.4)
    backend.observe()
    engine.gate.clear()
    backend.observe()
    scale(backend, web=5)
    engine.failure = AutoscalerError("bad gateway")
    engine.gate.set()
    eventually(lambda: backend.observe().errors.get("web") == "bad gateway")
    engine.failure = None
    assert eventually(lambda: _notes(backend)) == ("the change to 5 was not done: bad gateway",)
    assert engine.writes() == []


def test_nothing_is_sent_while_a_change_is_under_way(engine, connect, eventually):
    backend = connect(interval_seconds=0.4)
    backend.observe()
    engine.gate.clear()
    assert scale(backend, web=5) == [None]  # nothing is wrong yet
    assert "the change to 5 has had no answer for" in backend.observe().errors["web"]
    assert scale(backend, web=6) == ["nothing was sent: what was asked before has no answer yet"]
    engine.gate.set()
    eventually(lambda: "web" in backend.observe().types)
    assert engine.writes() == ["web 0 -> 5"]


@pytest.mark.parametrize(("meanwhile", "written"), [(0, ["web 0 -> 5"]), (2, []), (5, [])])
def test_a_change_that_waited_for_a_look_heeds_what_that_look_saw(engine, connect, eventually, meanwhile, written):
    backend = connect(interval_seconds=0.4)
    backend.observe()
    engine.gate.clear()
    backend.observe()
    scale(backend, web=5)
    engine.desired["web"] = meanwhile
    engine.gate.set()
    eventually(lambda: "web" in backend.observe().types)
    assert engine.writes() == written
    overtaken = "the change to 5 was not done: nothing was sent: somebody else set it from 0 to 2 meanwhile; decided again at the next tick"
    assert eventually(lambda: [_notes(backend)]) == [(overtaken,) if meanwhile == 2 else ()]


def test_a_look_that_ends_between_the_decision_and_the_change_is_heeded(engine, connect):
    backend = connect(interval_seconds=12.0)
    backend.observe()
    engine.gate.clear()
    backend._begin_look()
    engine.desired |= {"web": 2, "worker": 3}
    engine.gate.set()
    overtaken = "nothing was sent: somebody else set it from 0 to 2 meanwhile; decided again at the next tick"
    assert scale(backend, web=4, worker=3) == [overtaken, None]
    assert engine.writes() == []


def test_a_change_is_not_sent_after_the_end(engine, connect, eventually):
    backend = connect(interval_seconds=0.4)
    backend.observe()
    engine.gate.clear()
    backend.observe()
    scale(backend, web=5)
    hurry = Event()
    hurry.set()
    backend.close(hurry)
    engine.gate.set()
    eventually(lambda: backend._under_way.job.wait(0))
    assert engine.writes() == []


def test_an_engine_that_hangs_since_the_tick_before_gets_a_moment_only(engine, connect):
    backend = connect(interval_seconds=12.0)
    engine.gate.clear()
    backend._begin_look()
    began = time.monotonic()
    backend.observe()
    assert time.monotonic() - began < 2.0


def test_where_no_thread_can_be_started_nothing_is_under_way(connect, monkeypatch):
    backend = connect()
    backend.observe()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", _no_thread)
        with pytest.raises(RuntimeError):
            scale(backend, web=1)
    assert backend.observe().types["web"].counts.desired == 0
    assert scale(backend, web=1) == [None]


def _no_thread(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def _notes(backend: LiveEngine) -> tuple[str, ...]:
    seen = backend.observe().types.get("web")
    return seen.notes if seen else ()


def test_a_late_refusal_is_told_until_a_change_is_done(engine, connect, eventually):
    backend = connect(interval_seconds=0.4)
    backend.observe()
    engine.gate.clear()
    engine.verdicts["web"] = Verdict("refused", "no such quota")
    scale(backend, web=5)
    engine.gate.set()
    assert eventually(lambda: _notes(backend)) == ("the change to 5 was not done: no such quota",)
    engine.verdicts.clear()
    eventually(lambda: scale(backend, web=5) == [None] and engine.desired["web"] == 5)
    eventually(lambda: "web" in backend.observe().types and not _notes(backend))


@pytest.mark.parametrize(("done", "said"), [(4, "had been done: 4 are desired"), (0, "was not done: 0 are desired")])
def test_a_change_that_may_have_been_done_is_read_back_and_not_repeated(engine, connect, done, said):
    backend = connect()
    engine.verdicts["web"] = Verdict("unclear", "engine.example closed the connection")
    assert scale(backend, web=4) == ["engine.example closed the connection"]
    engine.desired["web"] = done
    formation = backend.observe()
    assert formation.happenings == (f"web: the change to 4 {said}",)
    assert formation.types["web"].counts.desired == done
    assert len(engine.writes()) == 1


def test_a_change_that_waits_is_a_note_and_no_error(engine, connect):
    backend = connect()
    engine.verdicts["web"] = Verdict("waits", "a deployment is under way")
    assert scale(backend, web=4) == [None]
    assert backend.observe().types["web"].notes == ("the change to 4 waits: a deployment is under way",)
    engine.verdicts.clear()
    scale(backend, web=4)
    assert backend.observe().types["web"].notes == ()


def test_an_engine_that_raises_refuses_every_change(engine, connect):
    backend = connect()
    backend.observe()
    engine.failure = AutoscalerError("the token is not accepted")
    assert scale(backend, web=1, worker=1) == ["the token is not accepted"] * 2


def test_a_mistake_in_the_engine_is_raised_in_the_tick(engine, connect):
    backend = connect()
    engine.looks_are = lambda: {}["nothing"]
    with pytest.raises(KeyError):
        backend.observe()
    engine.looks_are = engine.see
    assert set(backend.observe().types) == {"web", "worker"}


def test_a_mistake_in_the_middle_of_a_change_leaves_it_unclear(engine, connect):
    backend = connect()
    backend.observe()
    engine.failure = KeyError("nothing")
    with pytest.raises(KeyError):
        scale(backend, web=1)
    engine.failure = None
    assert backend.observe().happenings == ("web: the change to 1 was not done: 0 are desired",)


def test_a_negative_target_is_refused(engine, connect):
    assert "ask for 0 or more" in scale(connect(), web=-1)[0]
    assert engine.writes() == []


def test_a_singleton_waits_for_the_one_that_drains(engine, connect):
    backend = connect(is_singleton=True, minimum=0, maximum=1)
    counts = Counts(desired=0, draining=1)
    engine.looks_are = lambda: {name: seen if name != "web" else type(seen)(counts=counts) for name, seen in engine.see().items()}
    assert scale(backend, web=1) == [None]
    assert engine.writes() == []
    assert backend.observe().types["web"].notes == ("the change to 1 waits: it is a singleton, and the one that drains has not ended",)


def test_a_closed_backend_says_so(engine, connect):
    backend = connect()
    backend.close(Event())
    backend.close(Event())
    assert engine.calls == ["close"]
    with pytest.raises(BackendError, match="closed"):
        backend.observe()


def test_closing_does_not_wait_for_an_engine_that_hangs(engine, connect):
    backend = connect(interval_seconds=0.4)
    engine.gate.clear()
    backend.observe()
    began = time.monotonic()
    backend.close(Event())
    assert time.monotonic() - began < 5


def _plugin(engine: MemoryEngine, name: str, types: tuple, previous: object) -> LiveEngine:
    return live_engine(name, types, previous, lambda: engine)


def test_a_reload_keeps_the_connection_where_the_configuration_is_the_same(engine):
    web, worker = process_type("web"), process_type("worker")
    first = _plugin(engine, "shop", (web, worker), None)
    assert _plugin(engine, "shop", (process_type("web", maximum=9), worker), first) is first
    assert _plugin(engine, "other", (web, worker), first) is not first
    assert _plugin(engine, "shop", (web,), first) is not first
    first.close(Event())
    assert _plugin(engine, "shop", (web, worker), first) is not first


def test_an_observer_waits_for_a_whole_first_answer(engine):
    backend = observing((process_type("web", interval_seconds=0.1), process_type("worker", interval_seconds=0.1)), lambda: engine)
    never = Event()
    engine.looks_are = lambda: never.wait(0.5) or engine.see()
    assert set(backend.observe().types) == {"web", "worker"}
    backend.close(Event())


def test_no_change_asks_nothing(engine, connect):
    assert connect().scale(()) == ()
    assert engine.calls == []


def test_a_change_to_an_unknown_type_leaves_the_others(connect):
    backend = connect()
    outcomes = backend.scale((Change("ghost", 0, 1, ""), Change("web", 0, 1, "")))
    assert "ghost is not a process type" in outcomes[0].error
    assert outcomes[1].error is None
