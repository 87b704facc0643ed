import math
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoscaler_policies.erlang import waiting_tail
from autoscaler_simulations.durations import Deterministic, Exponential, Lognormal
from autoscaler_simulations.load.trace import RateCurve
from autoscaler_simulations.plant.conservation import ConservationError
from autoscaler_simulations.plant.flow import FlowQueue
from autoscaler_simulations.score.objective import Objective
from autoscaler_simulations.score.outcomes import Outcomes

_SERVICE = 0.2
_HOUR = 3600.0
_OBJECTIVE = Objective("wait", 0.1)
_RECORDED = 7 / 60.0  # a second
_SERVICES = [Exponential(_SERVICE), Deterministic(_SERVICE), Lognormal(_SERVICE, 4.0), Exponential(40.0)]


def _queue(rate, service=_SERVICES[0], *, objective=_OBJECTIVE, hours=2, limit=None):
    curve = RateCurve(60.0, np.full(60 * hours, rate), are_counts=rate == _RECORDED)
    outcomes = Outcomes(objective, curve.length_seconds)
    return FlowQueue(curve, service, outcomes, np.random.default_rng(7), limit=limit), outcomes


def _run(queue, slots, until, step=60.0):
    queue.open(1, slots)
    for at in np.arange(step, until + step / 2, step):
        queue.advance(float(at))
    queue.finish()
    return queue.tally()


def _share(outcomes):
    waits = outcomes.waits()
    return waits.over / waits.number


@pytest.mark.parametrize(("slots", "load"), [(1, 0.7), (5, 0.8), (10, 0.9), (100, 0.9)])
@pytest.mark.parametrize("step", [5.0, 60.0])
def test_a_steady_load_waits_as_erlang_says(slots, load, step):
    queue, outcomes = _queue(load * slots / _SERVICE, hours=20)

    _run(queue, slots, 20 * _HOUR, step)

    expected = waiting_tail(slots, load * slots, 0.1 / _SERVICE)
    assert _share(outcomes) == pytest.approx(expected, rel=0.1, abs=0.002)


@pytest.mark.parametrize("scv", [0.5, 4.0])
def test_one_slot_waits_as_pollaczek_and_khinchine_say(scv):
    queue, _ = _queue(0.7 / _SERVICE, Lognormal(_SERVICE, scv), hours=100)

    tally = _run(queue, 1, 100 * _HOUR)

    expected = 0.7 * _SERVICE * (1 + scv) / 2 / (1 - 0.7)
    assert tally.waited_seconds / tally.started == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize("service", _SERVICES[:3])
def test_slots_are_as_busy_as_the_load(service):
    queue, _ = _queue(0.6 * 10 / _SERVICE, service, hours=5)

    tally = _run(queue, 10, 5 * _HOUR, 5.0)

    assert tally.busy_seconds / tally.open_slot_seconds == pytest.approx(0.6, rel=0.01)


def test_an_overload_grows_by_what_cannot_be_served_and_drains_in_the_fluid_time():
    queue, _ = _queue(100.0)
    queue.open(1, 10)  # serve 50 a second
    queue.advance(600.0)
    grown = queue.tally().waiting
    queue.open(2, 40)  # 250 a second

    queue.advance(600.0 + grown / 150.0 * 0.8)
    assert queue.tally().waiting == pytest.approx(0.2 * grown, rel=0.2)
    queue.advance(600.0 + grown / 150.0 * 1.2)

    assert grown == pytest.approx(30_000, rel=0.03)
    assert queue.tally().waiting < 50


def test_without_slots_everything_waits_for_as_long_as_it_takes():
    queue, outcomes = _queue(10.0, objective=Objective("wait", 30.0))
    queue.advance(60.0)
    assert queue.tally().oldest_wait == pytest.approx(60.0)

    queue.open(1, 10_000)
    queue.finish()

    waits = outcomes.waits()
    assert waits.over / waits.number == pytest.approx(0.5)
    assert waits.wait.p50 == pytest.approx(30.0, rel=0.3)


def test_recorded_counts_arrive_to_the_last_one():
    queue, _ = _queue(_RECORDED)

    queue.advance(599.0)
    queue.advance(600.0)

    assert queue.tally().arrived == 70


def test_a_full_queue_drops_what_it_cannot_hold():
    queue, outcomes = _queue(100.0, limit=20)

    tally = _run(queue, 10, _HOUR)

    assert tally.waiting <= 20
    assert tally.dropped == pytest.approx(50 * _HOUR, rel=0.03)
    assert _share(outcomes) >= 0.49


def test_a_draining_process_ends_what_it_has_in_hand():
    queue, _ = _queue(100.0)
    queue.open(1, 10)
    queue.advance(60.0)

    end = queue.drain(1)
    queue.advance(end + 1.0)

    assert 60.0 < end < 65.0
    assert queue.tally().busy == 0
    assert queue.close(1, returns=True) == 0


@pytest.mark.parametrize("returns", [True, False])
def test_the_jobs_of_a_killed_process_are_back_in_line_or_lost(returns):
    queue, _ = _queue(100.0)
    queue.open(1, 10)
    queue.advance(60.0)

    killed = queue.close(1, returns=returns)

    tally = queue.tally()
    assert killed == 10
    assert (tally.returned, tally.lost) == ((10, 0) if returns else (0, 10))
    queue.check()


def test_the_same_seed_gives_the_same_run():
    tallies = [_run(_queue(40.0)[0], 10, _HOUR, 5.0) for _ in range(2)]

    assert tallies[0] == tallies[1]


def test_a_request_that_vanishes_is_found():
    queue, _ = _queue(40.0)
    queue.open(1, 10)
    queue.advance(60.0)
    queue._state.completed -= 1.0

    with pytest.raises(ConservationError, match="requests on one side"):
        queue.check()


@settings(max_examples=60, deadline=None)
@given(data=st.data(), service=st.sampled_from(_SERVICES), limit=st.sampled_from([None, 5]), measure=st.sampled_from(["wait", "response"]))
def test_no_request_is_lost_count_of_while_processes_come_and_go(data, service, limit, measure):
    queue, outcomes = _queue(30.0, service, limit=limit, objective=Objective(measure, 0.3))
    now, numbers, ready, draining = 0.0, count(), [], []
    for _ in range(data.draw(st.integers(1, 25))):
        act = data.draw(st.sampled_from(["advance", "open", "drain", "kill", "lose"]))
        if act == "advance":
            now += data.draw(st.floats(0.01, 300.0))
            queue.advance(now)
        elif act == "open":
            ready.append(next(numbers))
            queue.open(ready[-1], data.draw(st.integers(1, 5)))
        elif act == "drain" and ready:
            draining.append(ready.pop())
            assert queue.drain(draining[-1]) >= now
        elif act in ("kill", "lose") and (ready or draining):
            queue.close((ready or draining).pop(), returns=act == "kill")

    queue.finish()

    tally = queue.tally()
    assert min(tally.waiting, tally.busy, tally.dropped) >= 0
    assert 0 <= outcomes.waits().over <= outcomes.waits().number + 1e-6
    assert math.isfinite(tally.waiting_seconds)
