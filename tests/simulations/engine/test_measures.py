import numpy as np
import pytest

from autoscaler.model import ProcessType
from autoscaler.observe.source import Poll, SourceError
from autoscaler_simulations.durations import Deterministic
from autoscaler_simulations.engine.measures import LateMetric, Measure, MetricOutage, PlantSource
from autoscaler_simulations.load.arrivals import Arrivals
from autoscaler_simulations.load.trace import JobList
from autoscaler_simulations.plant.life import Life, LostHost, Span
from autoscaler_simulations.plant.plant import Plant
from autoscaler_simulations.plant.requests import RequestQueue
from autoscaler_simulations.score.objective import Objective
from autoscaler_simulations.score.outcomes import Outcomes


def make_plant(jobs, running=1, lost=(), **keys):
    arrivals, services = np.array(jobs, float).reshape(-1, 2).T
    blocks = Arrivals(JobList(arrivals, services, 1e6), None).blocks(np.random.default_rng(1))
    queue = RequestQueue(blocks, Outcomes(Objective("wait", 1.0), 1e6))
    process_type = ProcessType(name="web", minimum=0, maximum=9, **keys)
    return Plant(process_type, Life(startup=Deterministic(mean_seconds=5), lost=lost), queue, np.random.default_rng(1), running)


def measure(plant, kind, faults=(), **keys):
    return PlantSource(Measure(kind=kind, process_type="web", **keys), plant, tuple(faults))


def poll(source, plant, at):
    """Read at a time: the value, how old it is, the window; or why there is none."""
    plant.advance(at)
    try:
        reading = source.read(Poll(metric="m", now=at, at=1e9 + at, timeout_seconds=1))
    except SourceError as error:
        return str(error)
    return pytest.approx((reading.value, at - reading.at, reading.window_seconds))


def polls(plant, kind, moments, **keys):
    source = measure(plant, kind, **keys)
    return [poll(source, plant, at) for at in moments]


FIRST = "first sample of a counter; a rate needs two"
EVERY_SECOND = [(at, 0.5) for at in range(1, 100)]


def test_a_rate_counts_between_two_polls():
    assert polls(make_plant(EVERY_SECOND), "arrival_rate", [0, 10, 14]) == [FIRST, (1, 0, 10), (1, 0, 4)]


def test_a_rate_over_a_window_looks_back_that_far():
    jobs = [(at, 0.1) for at in range(1, 41) for _ in range(3 if at > 20 else 1)]
    assert polls(make_plant(jobs), "arrival_rate", [0, 10, 20, 30, 40, 50], window_seconds=20) == [
        FIRST,
        (1, 0, 10),
        (1, 0, 20),
        (2, 0, 20),
        (3, 0, 20),
        (1.5, 0, 20),
    ]


def test_a_window_between_two_polls_is_taken_a_little_longer():
    assert polls(make_plant(EVERY_SECOND), "arrival_rate", [0, 10, 20, 30, 40], window_seconds=25)[-1] == (1, 0, 30)


def test_completions_are_counted_when_work_ends():
    assert polls(make_plant([(0, 8), (0, 8)]), "completion_rate", [0, 10, 20]) == [FIRST, (0.1, 0, 10), (0.1, 0, 10)]


def test_counts_are_momentary_without_a_window():
    jobs = [(1, 10), (2, 10), (3, 10)]
    assert polls(make_plant(jobs), "waiting", [0, 5]) == [(0, 0, 0), (2, 0, 0)]
    assert polls(make_plant(jobs), "busy", [0, 5]) == [(0, 0, 0), (1, 0, 0)]
    assert polls(make_plant(jobs), "in_flight", [0, 5]) == [(0, 0, 0), (3, 0, 0)]


def test_counts_are_averages_over_a_window_and_momentary_at_the_first_poll():
    jobs = [(2, 10), (6, 10)]
    assert polls(make_plant(jobs), "waiting", [0, 10], window_seconds=10) == [(0, 0, 0), (0.4, 0, 10)]
    assert polls(make_plant(jobs), "busy", [0, 10], window_seconds=10) == [(0, 0, 0), (0.8, 0, 10)]
    assert polls(make_plant(jobs), "in_flight", [0, 10], window_seconds=10) == [(0, 0, 0), (1.2, 0, 10)]


def test_the_oldest_wait_is_that_of_the_head_of_the_queue():
    assert polls(make_plant([(0, 20), (4, 1), (6, 1)]), "oldest_wait", [0, 10], window_seconds=30) == [(0, 0, 0), (6, 0, 10)]


def test_the_mean_wait_is_that_of_what_started_in_the_window():
    nothing = "nothing was started in the window, so nothing has waited"
    jobs = [(0, 8), (2, 10), (3, 1)]  # these wait 0, 6 and 15 s
    first = "first sample of a counter; a mean over a window needs two"
    assert polls(make_plant(jobs), "mean_wait", [0, 10, 15, 20]) == [first, (6, 0, 10), nothing, (15, 0, 5)]


def test_utilization_divides_by_the_slots_of_those_that_are_ready():
    assert polls(make_plant([(0, 10)], running=2, slots=2), "utilization", [0, 5, 20]) == [(0.25, 0, 0), (0.25, 0, 0), (0, 0, 0)]


def test_utilization_over_a_window_follows_processes_that_come_and_go():
    plant = make_plant([(0, 100), (0, 100)], running=1)
    source = measure(plant, "utilization", window_seconds=20)
    poll(source, plant, 0)
    plant.advance(5)
    plant.scale(3)  # two more are ready from second 10 on, one of them with work
    assert poll(source, plant, 20) == ((20 + 10) / (20 + 2 * 10), 0, 20)


def test_a_draining_process_is_utilized_as_well():
    plant = make_plant([(0, 1), (0, 100)], running=2, stop_timeout_seconds=200)
    plant.advance(5)
    plant.scale(1)
    assert poll(measure(plant, "utilization"), plant, 6) == (0.5, 0, 0)


def test_a_draining_process_counts_over_a_window_until_it_exits():
    plant = make_plant([(0, 10), (0, 1)], running=2, stop_timeout_seconds=200)
    source = measure(plant, "utilization", window_seconds=20)
    poll(source, plant, 0)
    plant.advance(5)
    plant.scale(0)  # one is gone, the other drains until second 10
    assert poll(source, plant, 20) == (11 / 15, 0, 20)


def test_nothing_is_utilized_without_a_process():
    assert polls(make_plant([], running=0), "utilization", [5]) == ["no process is ready, so nothing is utilized"]


def test_a_rate_exists_without_a_process():
    assert polls(make_plant(EVERY_SECOND, running=0), "arrival_rate", [0, 10])[-1] == (1, 0, 10)


# Late and absent


def test_a_late_metric_says_what_was_some_time_ago():
    jobs = [(at, 0.1) for at in range(1, 100) if at > 20]
    found = polls(make_plant(jobs), "arrival_rate", [0, 10, 20, 30, 40, 50], delay_seconds=20)
    assert found == [*["the first sample has not arrived"] * 2, FIRST, (0, 20, 10), (0, 20, 10), (1, 20, 10)]


def test_a_delay_between_two_polls_is_taken_a_little_longer():
    assert polls(make_plant(EVERY_SECOND), "waiting", [0, 10, 20, 30], delay_seconds=15)[-1] == (0, 20, 0)


def test_a_metric_is_later_within_a_span():
    late = LateMetric(metric="m", span=Span(at_seconds=20, for_seconds=15), delay_seconds=10)
    ages = [5, 10, 20, 30, 40]
    found = polls(make_plant([(0, 1000), (8, 1), (18, 1)]), "waiting", ages, faults=[late])
    assert found == [(0, 0, 0), (1, 0, 0), (1, 10, 0), (2, 10, 0), (2, 0, 0)]


def test_a_metric_that_is_away_has_no_value():
    away = MetricOutage(metric="m", span=Span(at_seconds=20, for_seconds=20))
    said = "no answer: the metric is away in this simulation"
    found = polls(make_plant(EVERY_SECOND), "arrival_rate", [0, 10, 20, 30, 40], faults=[away])
    assert found == [FIRST, (1, 0, 10), said, said, (1, 0, 30)]


def test_a_server_goes_on_to_take_samples_while_it_does_not_answer():
    away = MetricOutage(metric="m", span=Span(at_seconds=20, for_seconds=20))
    found = polls(make_plant(EVERY_SECOND), "arrival_rate", [0, 10, 20, 30, 40], faults=[away], window_seconds=10)
    assert found[-1] == (1, 0, 10)


# Process by process


def each_of(source, plant, at):
    plant.advance(at)
    reading = source.read(Poll(metric="m", now=at, at=at, timeout_seconds=1))
    return reading.value, dict(reading.by_process)


def test_each_ready_process_says_its_share():
    plant = make_plant([(0, 100)] * 6, running=2)
    assert each_of(measure(plant, "in_flight", each_process=True), plant, 5) == (6, {"web.1": 3, "web.2": 3})


def test_each_ready_process_says_its_own_utilization():
    plant = make_plant([(0, 100)], running=2)
    assert each_of(measure(plant, "utilization", each_process=True), plant, 5) == (0.5, {"web.1": 0.5, "web.2": 0.5})


def test_a_process_that_is_new_has_no_rate_yet():
    plant = make_plant(EVERY_SECOND, running=1)
    source = measure(plant, "arrival_rate", each_process=True)
    poll(source, plant, 0)
    plant.scale(2)
    assert each_of(source, plant, 10) == (0.5, {"web.1": 0.5})
    assert each_of(source, plant, 20) == (1, {"web.1": 0.5, "web.2": 0.5})


def test_draining_processes_keep_their_share_of_the_work():
    plant = make_plant([(0, 1), (0, 100)], running=2, stop_timeout_seconds=200)
    plant.advance(5)
    plant.scale(1)
    assert each_of(measure(plant, "busy", each_process=True), plant, 6) == (0.5, {"web.1": 0.5})


def test_nobody_can_be_asked_on_a_lost_host():
    plant = make_plant(EVERY_SECOND, running=2, lost=(LostHost(span=Span(at_seconds=5, for_seconds=10), share=1.0),))
    source = measure(plant, "arrival_rate", each_process=True)
    poll(source, plant, 0)
    assert poll(source, plant, 10) == "no process of web is ready"


def test_samples_are_kept_only_as_long_as_they_are_needed():
    plant = make_plant([])
    late = LateMetric(metric="m", span=Span(at_seconds=0, for_seconds=1e9), delay_seconds=30)
    source = measure(plant, "arrival_rate", faults=[late], window_seconds=60)
    for at in range(0, 5000, 5):
        poll(source, plant, at)
    assert len(source._samples) <= (30 + 60) / 5 + 3
