"""The concurrency policy: its counts by hand, its panic, and its way to zero."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.decide.asking import ask
from autoscaler.decide.settings import NamedPolicy
from autoscaler.model import Counts, Missing, MissingReadingError, Observation, ProcessType, Reading
from autoscaler_policies.concurrency import Concurrency

IN_FLIGHT = Concurrency(metric="load")
BY_SOURCE = Concurrency(metric="load", panic_metric="peak")


def observe(now=0.0, *, ready=1, desired=None, minimum=0, is_called=False, **values):
    process_type = ProcessType(name="web", minimum=minimum, maximum=99)
    counts = Counts(ready if desired is None else desired, ready)
    readings = {metric: Reading(metric, float(value), now) for metric, value in values.items()}
    return Observation(now, 0.0, process_type, counts, readings, {"load": "down"}, is_called=is_called)


def after(policy, *observations):
    """Return the last answer of a policy that saw these one after the other, its memory written and read back."""
    answer, memory = None, None
    for observation in observations:
        answer = policy.recommend(observation, memory)
        memory = json.loads(json.dumps(answer.memory))
    return answer


@pytest.mark.parametrize(
    ("options", "load", "ready", "processes", "reason"),
    [
        ({}, 420, 6, 6, "420 in flight over 60 s / (100 x 0.7) = 6 -> 6, panic: 6 held for 60 s"),
        ({}, 1, 1, 1, "1 in flight over 60 s / (100 x 0.7) = 0.01 -> 1"),
        ({}, 70.7, 1, 2, "70.7 in flight over 60 s / (100 x 0.7) = 1.01 -> 2, panic: 2 held for 60 s"),
        ({"measure": "rate"}, 140, 1, 1, "140 a second over 60 s / (200 x 0.7) = 1 -> 1"),
        ({"per_process": 10, "utilization": 1.0}, 9, 1, 1, "9 in flight over 60 s / (10 x 1) = 0.9 -> 1"),
        ({"per_process": 0.001}, 0.01, 1, 1, "0.01 in flight over 60 s / (0.001 x 0.7, 0.01 at least) = 1 -> 1"),
    ],
)
def test_the_load_is_divided_by_what_a_process_should_carry(options, load, ready, processes, reason):
    answer = Concurrency(metric="load", **options).recommend(observe(ready=ready, load=load), None)

    assert (answer.processes, answer.reason) == (processes, reason)


def test_the_stable_window_is_a_mean_of_its_readings():
    answer = after(IN_FLIGHT, *(observe(now, load=load) for now, load in ((0, 30), (5, 40), (10, 20))))

    assert answer.reason == "30 in flight over 60 s / (100 x 0.7) = 0.43 -> 1"


def test_a_step_in_keeps_half_of_the_ready_processes():
    answer = after(BY_SOURCE, observe(load=70, peak=70), observe(5.0, ready=8, load=70, peak=70))

    assert answer.processes == 4
    assert answer.reason == "70 in flight over 60 s / (100 x 0.7) = 1 -> 1, 4 at least: 8 ready / 2"


def test_a_step_out_is_limited_by_its_factor():
    answer = Concurrency(metric="load", scale_out_factor=1.5).recommend(observe(load=700), None)

    assert answer.processes == 2  # ceil(1 x 1.5)
    assert "= 10 -> 10, 2 at most: 1 ready x 1.5" in answer.reason


def test_a_limited_step_out_does_not_cancel_what_starts_and_is_needed():
    overload = Observation(0.0, 0.0, observe().process_type, Counts(30, 2, starting=28), {"load": Reading("load", 2000.0, 0.0)})
    answer = Concurrency(metric="load", scale_out_factor=2.0).recommend(overload, None)

    assert answer.processes == 29  # ceil(2000 / 70)
    assert "= 28.57 -> 29, 4 at most: 2 ready x 2" in answer.reason
    assert answer.reason.endswith(", 29 of 30 that run or start stay")


def test_a_limited_step_out_keeps_no_more_than_there_are():
    few = Observation(0.0, 0.0, observe().process_type, Counts(6, 2, starting=4), {"load": Reading("load", 2000.0, 0.0)})

    assert Concurrency(metric="load", scale_out_factor=2.0).recommend(few, None).processes == 6


def test_a_panic_takes_the_short_average_and_keeps_its_highest_count():
    answer = after(BY_SOURCE, observe(load=70, peak=900), observe(12.0, ready=13, load=70, peak=140))

    assert answer.processes == 13  # ceil(900 / 70), though 2 would do now
    assert answer.reason == "140 in flight over 6 s / (100 x 0.7) = 2 -> 2, 6 at least: 13 ready / 2, panic: 13 held for 48 s"


def test_a_panic_ends_after_a_stable_window_without_a_surge():
    surge, calm = observe(load=70, peak=900), {"ready": 13, "load": 840, "peak": 840}

    assert after(BY_SOURCE, surge, observe(60.0, **calm)).processes == 13
    assert after(BY_SOURCE, surge, observe(60.5, **calm)).processes == 12


def test_processes_found_at_the_start_stay_until_their_load_is_known():
    assert after(IN_FLIGHT, observe(ready=9, load=1)).processes == 9
    assert after(IN_FLIGHT, observe(ready=9, load=1), observe(61.0, ready=9, load=1)).processes == 4


def test_processes_that_still_start_are_not_asked_for_again():
    slow = [observe(now, ready=1, desired=4, load=280) for now in (0.0, 5.0, 10.0, 60.0, 120.0)]

    assert after(IN_FLIGHT, *slow).processes == 4


def test_the_delay_keeps_the_highest_count_of_its_ticks():
    policy = Concurrency(metric="load", panic_metric="peak", scale_in_delay_seconds=30.0, scale_in_factor=None)
    calm = [observe(now, ready=4, load=70, peak=70) for now in (25.0, 30.0)]

    begun = observe(load=70, peak=70), observe(1.0, ready=4, load=280, peak=280)
    assert after(policy, *begun, calm[0]).processes == 4
    assert after(policy, *begun, calm[0]).reason.endswith(", 4 in the last 30 s")
    assert after(policy, *begun, *calm).processes == 1  # six ticks of 5 s have passed


def test_any_load_starts_the_activation_scale():
    policy = Concurrency(metric="load", activation_scale=3)

    assert policy.recommend(observe(load=1), None).reason.endswith("= 0.01 -> 1, 3 at least under load")
    assert policy.recommend(observe(ready=0, load=0), None).processes == 0


def test_a_burst_that_does_not_fit_is_told():
    answer = Concurrency(metric="load", burst_capacity=80).recommend(observe(load=50), None)

    assert answer.memory["excess_burst_capacity"] == -30  # 1 x 100 - 80 - 50
    assert answer.reason.endswith("; of a burst of 80 more, 30 would wait")


def test_a_burst_is_not_told_where_all_requests_are_proxied():
    answer = Concurrency(metric="load", burst_capacity=-1).recommend(observe(load=50), None)

    assert answer.memory["excess_burst_capacity"] == -1
    assert "burst" not in answer.reason


def test_a_reading_that_is_missing_is_missing_and_the_memory_stays():
    past = IN_FLIGHT.recommend(observe(load=70), None)
    answer = ask(NamedPolicy("concurrency", IN_FLIGHT), observe(5.0), past.memory)

    assert answer == Missing("load", "down", past.memory)
    with pytest.raises(MissingReadingError):
        BY_SOURCE.recommend(observe(load=1), None)


def test_an_idle_type_goes_to_zero_by_one_and_a_grace():
    loads = {0.0: 10, 30.0: 0, 55.0: 0, 95.0: 0, 124.0: 0, 125.0: 0}
    observations = [observe(now, load=load, peak=load) for now, load in loads.items()]
    counts = [after(BY_SOURCE, *observations[: position + 1]).processes for position in range(len(observations))]

    # active since 0: 1 stays until 60; the first tick after it marks it inactive, and 30 s later it goes
    assert counts == [1, 1, 1, 1, 1, 0]
    assert after(BY_SOURCE, *observations[:2]).reason.endswith("= 0 -> 0; the last one stays active 30 s more")
    assert after(BY_SOURCE, *observations[:5]).reason.endswith("= 0 -> 0; the last one goes in 1 s")


def test_without_a_limit_of_the_step_in_the_way_to_zero_leads_through_one_as_well():
    policy = Concurrency(metric="load", panic_metric="peak", scale_in_factor=None)
    idle = [observe(now, ready=ready, load=0, peak=0) for now, ready in ((65.0, 10), (70.0, 1), (95.0, 1))]
    busy = observe(ready=10, load=700, peak=700)

    assert [after(policy, busy, *idle[:seen]).processes for seen in (1, 2, 3)] == [1, 1, 0]
    assert after(policy, busy, idle[0]).reason.endswith("; the last one goes in 30 s")


def test_where_none_runs_none_is_said_to_go():
    assert IN_FLIGHT.recommend(observe(ready=0, load=0), None).reason == "0 in flight over 60 s / (100 x 0.7) = 0 -> 0"


def test_a_window_is_said_to_be_as_long_as_its_buckets():
    answer = after(IN_FLIGHT, observe(load=70), observe(5.0, load=70), observe(10.0, load=700))

    assert answer.reason.startswith("385 in flight over 10 s / (100 x 0.7) = 5.5 -> 6")  # two ticks of 5 s hold a panic window of 6 s


def test_a_first_process_without_load_is_waited_for_until_its_timeout():
    starting = [observe(now, ready=0, desired=2, load=load) for now, load in ((0.0, 140), (100.0, 0), (630.0, 0), (631.0, 0))]

    assert [after(IN_FLIGHT, *starting[:seen]).processes for seen in (1, 2, 3, 4)] == [2, 2, 2, 0]
    assert after(IN_FLIGHT, *starting).reason.endswith("none became ready in 630 s")


def test_a_minimum_is_kept_without_load():
    answer = IN_FLIGHT.recommend(observe(minimum=2, load=0), None)

    assert (answer.processes, answer.memory["life"]["state"]) == (2, "active")
    assert answer.reason.endswith("= 0 -> 0; 2 at least")


def test_the_initial_scale_counts_until_it_is_reached():
    policy = Concurrency(metric="load", initial_scale=3, scale_in_factor=None)
    none, some, all_there = observe(ready=0, load=0), observe(5.0, ready=2, load=10), observe(70.0, ready=3, load=10)

    assert [after(policy, none).processes, after(policy, none, some).processes] == [3, 3]
    assert after(policy, none, some, all_there).processes == 1
    assert policy.recommend(observe(ready=1, load=10), None).processes == 1  # it runs already: this is no beginning


def test_an_initial_scale_above_the_maximum_is_no_trap():
    answer = Concurrency(metric="load", initial_scale=500).recommend(observe(ready=0, load=0), None)

    assert answer.processes == 99


def test_a_connection_that_waits_is_load():
    answer = IN_FLIGHT.recommend(observe(ready=0, is_called=True, load=0), None)

    assert (answer.processes, type(answer.processes)) == (1, int)
    assert answer.reason.endswith("1 for the connection that waits")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"panic_window_seconds": 61.0}, "panic_window must be"),
        ({"panic_window_seconds": 0.5}, "panic_window must be"),
        ({"burst_capacity": -0.5}, "burst_capacity must be"),
        ({"panic_metric": "load"}, "panic_metric is metric; leave panic_metric out"),
    ],
)
def test_impossible_options_are_refused(options, told):
    with pytest.raises(ValueError, match=told):
        Concurrency(metric="load", **options)


def test_surprising_options_are_warned_of():
    assert Concurrency(metric="load", hard_limit=10, per_process=5).warnings() == IN_FLIGHT.warnings() == ()
    assert Concurrency(metric="load", hard_limit=10).warnings() == ()
    assert "does nothing for a rate" in Concurrency(metric="load", measure="rate", hard_limit=10).warnings()[0]
    assert "10 is taken" in Concurrency(metric="load", per_process=20, hard_limit=10).warnings()[0]


@given(st.lists(st.floats(0, 1e308), min_size=1, max_size=20), st.integers(0, 99))
def test_any_finite_readings_get_a_count_and_a_memory_that_is_written_and_read_back(loads, ready):
    answer = after(IN_FLIGHT, *(observe(5.0 * tick, ready=ready, load=load) for tick, load in enumerate(loads)))

    assert type(answer.processes) is int
    assert json.loads(json.dumps(answer.memory)) == answer.memory


@given(st.lists(st.tuples(st.floats(0, 1e9), st.floats(0, 1e9)), min_size=1, max_size=20), st.integers(1, 50))
def test_more_load_never_means_fewer_processes(loads, ready):
    low = [observe(5.0 * tick, ready=ready, minimum=1, load=load) for tick, (load, _) in enumerate(loads)]
    high = [observe(5.0 * tick, ready=ready, minimum=1, load=load + more) for tick, (load, more) in enumerate(loads)]

    assert after(IN_FLIGHT, *high).processes >= after(IN_FLIGHT, *low).processes
