"""The queueing policy: the fewest processes that keep an objective of waiting."""

import json
import math
import time
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autoscaler.decide.settings import metrics_of
from autoscaler.model import Counts, MissingReadingError, Observation, ProcessType, Reading
from autoscaler_policies.erlang import erlang_c, waiting_tail
from autoscaler_policies.queueing import Queueing


def observe(slots=1, now=0.0, ready=2, **values):
    process_type = ProcessType(name="web", minimum=0, maximum=99, slots=slots)
    readings = {metric: Reading(metric, float(value), now) for metric, value in values.items()}
    return Observation(now, now, process_type, Counts(ready, ready), readings, {"arrival": "down", "service": "no samples", "busy": "down"})


def queueing(**fields):
    if not {"service", "busy", "service_takes_seconds"} & set(fields):
        fields["service_takes_seconds"] = 0.2
    return Queueing(**{"arrival": "arrival", "wait_within_seconds": 0.5, **fields})


def test_the_reason_shows_what_one_less_would_do():
    answer = queueing().recommend(observe(arrival=40), None)  # C(9, 8) = 0.6533, x e^-2.5; C(10, 8) = 0.4092, x e^-5

    assert answer.processes == 10
    assert answer.reason == "40/s x 0.2 s = 8 busy; 10 processes wait over 0.5 s in 0.276 % of cases, 9 in 5.36 % (at most 5 %)"


@pytest.mark.parametrize(("arrival", "processes"), [(0.2, 1), (0.5, 1), (0.51, 2), (1.28, 2), (1.29, 3)])
def test_half_of_the_arrivals_do_not_wait_at_all(arrival, processes):
    # One process: C = a. Two: C = a^2 / (2 + a), which is 0.4995 at 1.28 and 0.5058 at 1.29.
    policy = queueing(service_takes_seconds=1.0, wait_within_seconds=0.0, percentile=50.0)

    assert policy.recommend(observe(arrival=arrival), None).processes == processes


def test_never_fewer_than_keep_up():
    patient = queueing(service_takes_seconds=1.0, wait_within_seconds=1e9)

    assert patient.recommend(observe(arrival=3), None).processes == 4  # 3 would be busy all the time
    assert patient.recommend(observe(arrival=2.99), None).processes == 3


def test_slots_are_servers_of_one_queue():
    policy = queueing(service_takes_seconds=1.0, wait_within_seconds=0.0, percentile=66.0)
    answer = policy.recommend(observe(slots=2, arrival=1), None)

    assert answer.processes == 1  # two servers, C = 1/3
    assert answer.reason == "1/s x 1 s = 1 busy; 1 process x 2 slots wait over 0 s in 33.3 % of cases, 0 cannot keep up (at most 34 %)"


def test_little_measures_the_service():
    answer = queueing(busy="busy").recommend(observe(ready=9, arrival=40, busy=8), None)

    assert answer.reason.startswith("40/s x 0.2 s = 8 busy; 10 processes")
    assert answer.memory == {"service": 0.2, "without": None}


def test_burstier_work_needs_more_and_clockwork_less():
    wanted = [queueing(wait_within_seconds=0.1, service_variability=each).recommend(observe(arrival=40), None).processes for each in (0, 1, 9)]

    assert wanted == sorted(wanted)
    assert wanted[0] < wanted[2]
    assert queueing(arrival_variability=0, service_variability=0).recommend(observe(arrival=40), None).processes == 9


def test_a_set_rate_needs_no_metric():
    policy = Queueing(arrival_rate=40, service_takes_seconds=0.2, wait_within_seconds=0.5)

    assert policy.recommend(observe(), None).processes == 10
    assert metrics_of(policy) == ()


def test_nothing_arrives_and_nothing_is_wanted():
    answer = queueing(service="service").recommend(observe(arrival=0), {"service": 0.2, "without": None})

    assert (answer.processes, answer.reason) == (0, "nothing arrives -> 0")
    assert answer.memory == {"service": 0.2, "without": None}


BY_BUSY = queueing(busy="busy", wait_within_seconds=1.0)


@pytest.mark.parametrize(("slots", "processes"), [(1, 50), (4, 13)])
def test_what_is_busy_stays_while_nothing_arrives(slots, processes):
    answer = BY_BUSY.recommend(observe(slots=slots, ready=50, arrival=0, busy=50), None)

    assert answer.processes == processes
    assert answer.reason == f"nothing arrives -> 0; 50 busy / {slots} a process -> {processes}"


def test_unknown_busy_is_missing_when_nothing_arrives():
    with pytest.raises(MissingReadingError, match="busy is missing: down"):
        BY_BUSY.recommend(observe(ready=50, arrival=0), None)
    assert BY_BUSY.recommend(observe(ready=50, arrival=0, busy=0), None).processes == 0


def test_a_standing_queue_is_not_taken_for_longer_work():
    """Ten busy of 11 and 10/s are 1 s of service; all of 11 busy are no 1.1 s."""
    memory = BY_BUSY.recommend(observe(ready=11, arrival=10, busy=10), None).memory
    answers = [BY_BUSY.recommend(observe(now=5.0, ready=ready, arrival=10, busy=ready), memory) for ready in (11, 13)]

    assert [answer.processes for answer in answers] == [13, 13]
    assert answers[0].reason.startswith("10/s x 1 s (as last measured, every slot is busy) = 10 busy; 13 processes")
    assert answers[0].memory == {"service": 1.0, "without": 5.0}


def test_longer_work_with_every_slot_busy_is_noticed_in_the_end():
    full = {"ready": 13, "arrival": 10, "busy": 13}

    assert BY_BUSY.recommend(observe(now=905.0, **full), {"service": 1.0, "without": 5.0}).processes == 13
    answer = BY_BUSY.recommend(observe(now=905.1, **full), {"service": 1.0, "without": 5.0})
    assert (answer.processes, answer.memory) == (16, {"service": 1.0, "without": 5.0})


def test_with_every_slot_busy_from_the_start_busy_counts_and_is_not_remembered():
    answer = BY_BUSY.recommend(observe(ready=10, arrival=10, busy=10), None)

    assert answer.reason.startswith("10/s x 1 s (of a queue too, maybe: every slot is busy) = 10 busy; 13 processes")
    assert answer.memory is None


def test_fewer_than_are_busy_are_never_wanted():
    answer = BY_BUSY.recommend(observe(ready=20, arrival=10, busy=20), {"service": 1.0, "without": None})

    assert answer.processes == 20
    assert answer.reason.endswith("; 20 busy / 1 a process -> 20")


@pytest.mark.parametrize("values", [{}, {"service": 0}, {"service": -1}])
def test_the_last_service_time_is_believed_while_none_is_measured(values):
    measured = queueing(service="service").recommend(observe(arrival=40, service=0.2), None)
    answer = queueing(service="service").recommend(observe(now=50.0, arrival=40, **values), json.loads(json.dumps(measured.memory)))

    assert answer.reason.startswith("40/s x 0.2 s (as last measured) = 8 busy; 10 processes")
    assert answer.memory == {"service": 0.2, "without": 50.0}


def test_a_missing_service_time_never_scales_in():
    observation = replace(observe(now=50.0, arrival=40), counts=Counts(25, 25))
    answer = queueing(service="service").recommend(observation, {"service": 0.2, "without": None})

    assert (answer.processes, "no scale-in on a missing time of service: 25" in answer.reason) == (25, True)


def test_first_process_is_started_to_measure_the_service_time():
    answer = queueing(service="service").recommend(replace(observe(arrival=40), counts=Counts(0)), None)

    assert (answer.processes, answer.reason) == (1, "40/s and no time of service known: 1 process to measure it")


def test_a_service_time_is_not_believed_for_ever():
    policy, memory = queueing(service="service"), {"service": 0.2, "without": 50.0}

    assert policy.recommend(observe(now=950.0, arrival=40), memory).processes == 10
    with pytest.raises(MissingReadingError, match="no time of service, though work arrives"):
        policy.recommend(observe(now=951.0, arrival=40), memory)
    assert policy.recommend(observe(now=951.0, arrival=0), memory).memory == {"service": 0.2, "without": None}


@pytest.mark.parametrize(("values", "said"), [({"arrival": 4}, "service is missing: no samples"), ({"service": 1}, "arrival is missing: down")])
def test_a_metric_without_a_reading_is_missing(values, said):
    with pytest.raises(MissingReadingError, match=said):
        queueing(service="service").recommend(observe(**values), None)


def test_a_service_time_of_zero_from_the_start_is_missing():
    with pytest.raises(MissingReadingError, match="no time of service"):
        queueing(service="service").recommend(observe(arrival=4, service=0), None)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"service_takes_seconds": 1.0}, "give either arrival .* or arrival_rate"),
        ({"arrival": "a", "arrival_rate": 3, "service_takes_seconds": 1.0}, "give either arrival .* or arrival_rate"),
        ({"arrival": "a"}, "give exactly one of service .*, busy .* and service_takes"),
        ({"arrival": "a", "service": "s", "busy": "b"}, "give exactly one of service"),
        ({"arrival": "a", "service": "s", "percentile": 100}, "percentile 100 is what no number of processes can promise"),
    ],
)
def test_what_is_not_one_rate_one_time_and_a_possible_promise_is_refused(fields, said):
    with pytest.raises(ValueError, match=said):
        Queueing(wait_within_seconds=1.0, **fields)


@given(st.floats(0.01, 500), st.floats(0.001, 2), st.floats(1, 99.99), st.floats(0, 3))
def test_the_answer_keeps_the_objective_and_one_less_does_not(arrival, service, percentile, within):
    policy = queueing(service_takes_seconds=service, percentile=percentile, wait_within_seconds=within)
    processes, allowed = policy.recommend(observe(arrival=arrival), None).processes, 1 - percentile / 100

    assert processes > arrival * service * (1 - 1e-12)
    assert waiting_tail(processes, arrival * service, within / service) <= allowed + 1e-9
    assert processes == 1 or waiting_tail(processes - 1, arrival * service, within / service) >= allowed - 1e-9


@given(st.floats(0, 1e308), st.floats(0, 1e308), st.sampled_from([1, 4, 100]))
@example(99_999.9, 100_000.1, 4)
@example(1e5, 1e5 + 1e-9, 1)
def test_more_arrivals_never_want_fewer(one, other, slots):
    low, high = sorted((one, other))
    policy = queueing(service_takes_seconds=1.0)
    less, more = (policy.recommend(observe(slots=slots, arrival=arrival), None).processes for arrival in (low, high))

    assert less <= more


@pytest.mark.parametrize("arrival", [5e-324, 1e-300, 1e5, 499_999.0, 1e9, 1e308])
@pytest.mark.parametrize("slots", [1, 7, 10**6])
def test_absurd_loads_are_answered_at_once(arrival, slots):
    begun = time.perf_counter()
    answer = queueing(percentile=99.9999, wait_within_seconds=0.0).recommend(observe(slots=slots, arrival=arrival), None)

    assert answer.processes * slots > arrival * 0.2
    assert time.perf_counter() - begun < 1.0


@pytest.mark.parametrize("values", [{"service": 1e308}, {"service": 1e-308}])
def test_absurd_service_times_are_answered(values):
    assert queueing(service="service").recommend(observe(arrival=1e308, **values), None).processes >= 1


def test_a_load_beyond_the_formula_takes_processes_in_proportion():
    at, beyond = (queueing().recommend(observe(arrival=arrival), None) for arrival in (500_000, 1_000_000))

    assert beyond.processes == 2 * at.processes
    assert beyond.reason == f"1000000/s x 0.2 s = 200000 busy, {at.processes} processes for each 100000 -> {beyond.processes}"


@pytest.fixture
def cases(shared):
    content = json.loads((shared / "reference" / "queueing_reference.json").read_text())
    return {case["id"]: (case["params"], case["expected"]) for case in content["cases"]}


@pytest.mark.shared
def test_staffing_is_that_of_the_reference(cases):
    params, expected = cases["slo_staffing"]
    policy = Queueing(
        arrival_rate=params["lam"], service_takes_seconds=1 / params["mu"], wait_within_seconds=params["t"], percentile=100 * (1 - params["eps"])
    )
    answer = policy.recommend(observe(), None)

    assert answer.processes == expected["c_min"]
    assert answer.reason.endswith("34 processes wait over 0.1 s in 0.985 % of cases, 33 in 1.77 % (at most 1 %)")
    assert waiting_tail(34, 25.0, 0.2) == pytest.approx(expected["P_at_cmin"], rel=1e-12)
    assert waiting_tail(33, 25.0, 0.2) == pytest.approx(expected["P_at_cmin_minus1"], rel=1e-12)


@pytest.mark.shared
def test_square_root_staffing_is_that_of_the_reference(cases):
    params, expected = cases["sqrt_staffing"]
    policy = Queueing(arrival_rate=params["a"], service_takes_seconds=1.0, wait_within_seconds=0.0, percentile=100 * (1 - params["alpha"]))

    assert policy.recommend(observe(), None).processes == expected["c_exact"]
    assert erlang_c(111, params["a"]) == pytest.approx(expected["P_wait_at_exact"], rel=1e-12)
    assert math.ceil(params["a"] + expected["beta"] * math.sqrt(params["a"])) == expected["c_sqrt"]


@pytest.mark.parametrize(("metrics", "leaves"), [({"arrival"}, True), ({"service"}, False), (set(), False)])
def test_arrivals_suffice_to_leave_zero(metrics, leaves):
    assert queueing(service="service").leaves_zero(metrics) is leaves


def test_percentile_that_is_meant_as_a_share_is_warned_of():
    assert queueing(service="service", percentile=0.95).warnings() == ("percentile 0.95 is 0.95 %; write 95 for 95 %",)
    assert queueing(service="service", percentile=95).warnings() == ()
