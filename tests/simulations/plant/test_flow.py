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


def test_the_longest_wait_is_one_that_somebody_had():
    queue, outcomes = _queue(0.7 / _SERVICE, hours=10)

    tally = _run(queue, 1, 10 * _HOUR)

    expected = math.log(0.7 * tally.arrived / 0.5) * _SERVICE / (1 - 0.7)  # M/M/1: half a request waits longer
    assert outcomes.waits().wait.maximum == pytest.approx(expected, rel=0.25)


@pytest.mark.parametrize(("service", "p99_9"), [(_SERVICES[0], 1.3816), (_SERVICES[1], 0.2), (_SERVICES[2], 4.510)])
def test_the_long_services_are_in_the_percentiles_of_the_response(service, p99_9):
    queue, outcomes = _queue(20.0, service, hours=10)

    _run(queue, 60, 10 * _HOUR)  # so many slots that nobody waits

    response = outcomes.waits().response
    assert response.p99_9 == pytest.approx(p99_9, rel=0.02)
    assert response.mean == pytest.approx(service.points(10_000).mean(), rel=0.001)


def test_a_request_that_is_the_only_one_has_a_wait():
    queue, outcomes = _queue(1 / 60.0, hours=2)
    queue.open(1, 1)

    while not queue.tally().started:
        queue.advance(queue.tally().at + 60.0)
    queue.finish()

    assert outcomes.waits().wait.maximum is not None


@pytest.mark.parametrize("scv", [0.5, 4.0])
def test_one_slot_waits_as_pollaczek_and_khinchine_say(scv):
    queue, _ = _queue(0.7 / _SERVICE, Lognormal(_SERVICE, scv), hours=100)

    tally = _run(queue, 1, 100 * _HOUR)

    expected = 0.7 * _SERVICE * (1 + scv) / 2 / (1 - 0.7)
    assert tally.waited_seconds / tally.started == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize(("scv", "lowest", "highest"), [(0.0, 0.5, 0.8), (4.0, 1.25, 2.5)])
def test_services_that_vary_more_make_longer_waits_in_short_steps_as_well(scv, lowest, highest):
    queue, _ = _queue(0.7 / 40.0, Lognormal(40.0, scv), hours=500)

    tally = _run(queue, 1, 500 * _HOUR, 300.0)

    exponential = 0.7 * 40.0 / (1 - 0.7)
    assert lowest < tally.waited_seconds / tally.started / exponential < highest  # by Pollaczek and Khinchine 0.5 and 2.5


@pytest.mark.parametrize("service", _SERVICES[:3])
def test_slots_are_as_busy_as_the_load(service):
    queue, _ = _queue(0.6 * 10 / _SERVICE, service, hours=5)

    tally = _run(queue, 10, 5 * _HOUR, 5.0)

    assert tally.busy_seconds / tally.open_slot_seconds == pytest.approx(0.6, rel=0.01)


def test_a_load_of_just_what_the_slots_can_do_waits_ever_longer():
    queue, outcomes = _queue(10 / _SERVICE, hours=2)

    tally = _run(queue, 10, 2 * _HOUR)

    assert _share(outcomes) > 0.9
    assert 0.99 < tally.busy_seconds / tally.open_slot_seconds <= 1


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


def test_a_job_in_hand_is_longer_than_the_mean_one():
    queue, _ = _queue(60_000.0, _SERVICES[2])
    for process in range(300):
        queue.open(process, 10)
    queue.advance(60.0)

    residuals = [queue.drain(process) - 60.0 for process in range(300)]

    assert np.mean(residuals) == pytest.approx(_longest_residual(_SERVICES[2], 10), rel=0.1)


def _longest_residual(service, jobs):
    points = service.points(2000)
    residuals = np.repeat(points, 50) * np.tile((np.arange(50) + 0.5) / 50, len(points))
    order = np.argsort(residuals)
    shares = np.cumsum(np.repeat(points, 50)[order]) / np.repeat(points, 50).sum()
    return float((residuals[order] * np.diff(shares**jobs, prepend=0.0)).sum())


@pytest.mark.parametrize("seconds", [60.0, 61.0, 62.0, 63.0])
def test_a_process_whose_slots_are_busy_in_part_drains_whole_jobs(seconds):
    queue, _ = _queue(10.0)
    queue.open(1, 10)
    queue.advance(seconds)

    queue.drain(1)

    assert queue.tally().busy == round(queue.tally().busy)
    queue.check()


def test_what_is_lost_is_over_the_objective_and_counts_once():
    queue, outcomes = _queue(10.0, _SERVICES[3], objective=Objective("wait", 1000.0))
    queue.open(1, 10_000)
    queue.advance(60.0)

    lost = queue.close(1, returns=False)

    waits = outcomes.waits()
    assert waits.over == lost == queue.tally().lost
    assert waits.number == pytest.approx(queue.tally().arrived)


def test_what_returns_is_judged_again_and_counts_once():
    queue, outcomes = _queue(10.0, _SERVICES[3], objective=Objective("wait", 1000.0))
    queue.open(1, 10_000)
    queue.advance(60.0)
    queue.close(1, returns=True)

    queue.open(2, 10_000)

    assert outcomes.waits().number == pytest.approx(queue.tally().arrived)


def test_who_still_waits_at_the_end_and_is_late_is_over_the_objective():
    queue, outcomes = _queue(10.0, objective=Objective("wait", 15.0))
    queue.advance(60.0)

    queue.finish()

    waits = outcomes.waits()
    assert waits.over == waits.number == pytest.approx(0.75 * queue.tally().arrived)


@pytest.mark.parametrize("step", [1.0, 60.0])
def test_who_is_served_for_too_long_is_late_without_a_wait(step):
    queue, outcomes = _queue(10.0, objective=Objective("response", 0.3))

    _run(queue, 60, _HOUR, step)

    assert _share(outcomes) == pytest.approx(math.exp(-0.3 / _SERVICE), rel=0.02)


def test_a_queue_with_few_places_drops_as_the_formula_says_where_slots_keep_up():
    queue, outcomes = _queue(40.0, limit=3, hours=20)

    tally = _run(queue, 10, 20 * _HOUR)

    weights = [8.0**jobs / math.factorial(min(jobs, 10)) / 10.0 ** max(0, jobs - 10) for jobs in range(14)]  # M/M/10/13
    assert tally.dropped / tally.arrived == pytest.approx(weights[-1] / sum(weights), rel=0.1)
    assert outcomes.waits().number == pytest.approx(tally.arrived - tally.waiting)  # who waits at the end, and not long, is not judged


@pytest.mark.parametrize("returns", [True, False])
def test_what_is_killed_in_a_quiet_hour_does_not_excuse_a_bad_one(returns):
    queue, outcomes = _queue(20.0, _SERVICES[3])
    queue.advance(_HOUR)  # without slots all are over the objective
    queue.open(1, 100_000)
    queue.advance(1.5 * _HOUR)

    queue.close(1, returns=returns)

    over, _ = outcomes.blocks()
    assert over[0] == pytest.approx(20.0 * _HOUR, rel=0.05)
    assert over[1] >= -1e-9


def test_after_many_requests_a_quiet_moment_is_no_trouble():
    queue, _ = _queue(0.0, Exponential(2.0))
    queue.open(1, 3)
    state = queue._state
    state.arrived = state.started = 4e7
    state.completed, state.busy = 4e7 - 3, 3 + 2.1e-9  # what rounding may leave beside so many

    for at in range(1, 60):
        queue.advance(float(at))

    assert queue.tally().busy < 3
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
    assert -1e-6 <= outcomes.waits().over <= outcomes.waits().number + 1e-6 <= tally.arrived + 2e-6
    assert math.isfinite(tally.waiting_seconds)
