"""The backlog policy: its formula, by hand."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.model import Counts, Missing, MissingReadingError, Observation, ProcessType, Progress, Reading
from autoscaler_policies.backlog import Backlog


def observe(*, slots=1, startup=0.0, interval=5.0, now=0.0, desired=2, **values):
    process_type = ProcessType(name="worker", minimum=0, maximum=99, slots=slots, interval_seconds=interval)
    readings = {metric: Reading(metric, float(value), now, 30.0) for metric, value in values.items()}
    return Observation(now, 0.0, process_type, Counts(desired, desired), readings, {"gone": "down"}, startup_seconds=startup)


def follow(policy, *ticks):
    """Answer tick after tick, each with what the last one remembered, as a record would hold it."""
    answers, memory = [], None
    for tick in ticks:
        answers.append(policy.recommend(tick, memory))
        memory = json.loads(json.dumps(answers[-1].memory))
    return answers


CLEAR = Backlog(waiting="waiting", busy="busy", job_takes_seconds=0.4, clear_within_seconds=60.0)


@pytest.mark.parametrize(
    ("waiting", "busy", "processes", "reason"),
    [
        (700, 2, 5, "700 waiting / (2.5/s x 60 s) = 4.67 -> 5"),
        (750, 2, 5, "750 waiting / (2.5/s x 60 s) = 5 -> 5"),
        (751, 2, 6, "751 waiting / (2.5/s x 60 s) = 5.01 -> 6"),
        (0, 0, 0, "0 waiting / (2.5/s x 60 s) = 0 -> 0"),
        (1, 0, 1, "1 waiting / (2.5/s x 60 s) = 0.01 -> 1"),
        (10, 7, 7, "7 busy / 1 a process -> 7"),
    ],
)
def test_the_jobs_that_wait_are_cleared_in_time(waiting, busy, processes, reason):
    recommendation = CLEAR.recommend(observe(waiting=waiting, busy=busy), None)

    assert (recommendation.processes, recommendation.reason) == (processes, reason)


def test_no_more_processes_than_jobs_are_wanted():
    hurried = Backlog(waiting="waiting", busy="busy", job_takes_seconds=100.0, clear_within_seconds=10.0)
    recommendation = hurried.recommend(observe(waiting=3, busy=1), None)

    assert recommendation.processes == 4
    assert recommendation.reason == "(3 waiting + 1 busy) / 1 a process -> 4, no more jobs are there"


def test_arrivals_need_their_own_processes():
    policy = Backlog(waiting="waiting", busy="busy", arrival="arrival", job_takes_seconds=0.4, clear_within_seconds=60.0)
    recommendation = policy.recommend(observe(waiting=700, busy=2, arrival=20), None)

    assert recommendation.processes == 13
    assert recommendation.reason == "20/s / 2.5/s + 700 waiting / (2.5/s x 60 s) = 12.67 -> 13"


def test_jobs_that_arrive_until_a_process_is_ready_count_as_there():
    policy = Backlog(waiting="waiting", busy="busy", arrival="arrival", job_takes_seconds=60.0, clear_within_seconds=1.0)
    recommendation = policy.recommend(observe(waiting=2, busy=0, arrival=1, startup=4.0), None)

    assert recommendation.processes == 11  # 2 + 1/s x (4 s + 5 s)


def test_slots_multiply_what_a_process_does():
    assert CLEAR.recommend(observe(slots=4, waiting=700, busy=9), None).processes == 3  # 9 busy / 4 slots


@pytest.mark.parametrize(("waiting", "processes"), [(95, 5), (100, 5), (101, 6), (0, 0)])
def test_a_backlog_per_process_is_a_division(waiting, processes):
    policy = Backlog(waiting="waiting", per_process=20)

    assert policy.recommend(observe(waiting=waiting), None).processes == processes


def test_a_metric_without_a_reading_is_missing():
    with pytest.raises(MissingReadingError, match="gone is missing: down"):
        Backlog(waiting="gone", per_process=20).recommend(observe(), None)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"job_takes_seconds": 1.0, "per_process": 2.0},
        {"job_takes_seconds": 1.0, "job_seconds": "seconds"},
        {"busy": "busy"},
        {"completions": "completions"},
    ],
)
def test_one_way_to_count_processes_is_given(options):
    with pytest.raises(ValueError, match="either job_takes"):
        Backlog(waiting="waiting", **options)


def test_unknown_busy_is_a_warning():
    assert "busy is not given" in Backlog(waiting="waiting", per_process=1).warnings()[0]
    assert CLEAR.warnings() == ()


@pytest.mark.parametrize("options", [{"clear_within_seconds": 10}, {"arrival": "arrival"}, {"measured_over_seconds": 10}])
def test_a_key_that_changes_nothing_is_a_warning(options):
    (sentence,) = Backlog(waiting="waiting", busy="busy", per_process=20, **options).warnings()

    assert sentence.startswith(next(iter(options)).removesuffix("_seconds"))


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 1e6))
def test_more_jobs_never_mean_fewer_processes(waiting, more, busy):
    fewer = CLEAR.recommend(observe(waiting=waiting, busy=busy), None).processes

    assert CLEAR.recommend(observe(waiting=waiting + more, busy=busy), None).processes >= fewer


def test_nothing_is_remembered_that_need_not_be():
    assert CLEAR.recommend(observe(waiting=700, busy=2), None).memory is None


@pytest.mark.parametrize(
    ("waiting", "busy", "processes", "reason"),
    [
        (40, 0, 0, "40 waiting, no more than the 50 of activation, and none busy -> 0"),
        (50, 0, 0, "50 waiting, no more than the 50 of activation, and none busy -> 0"),
        (51, 0, 6, "51 waiting / 10 per process -> 6"),
        (40, 1, 4, "40 waiting / 10 per process -> 4"),
    ],
)
def test_activation_is_apart_from_scaling(waiting, busy, processes, reason):
    recommendation = Backlog(waiting="waiting", busy="busy", per_process=10, activation=50).recommend(observe(waiting=waiting, busy=busy), None)

    assert (recommendation.processes, recommendation.reason) == (processes, reason)


def test_arrivals_alone_are_something_to_do_unless_activation_is_set():
    options = {"waiting": "waiting", "arrival": "arrival", "job_takes_seconds": 1.0}
    trickle = observe(waiting=0, arrival=1)

    assert Backlog(**options).recommend(trickle, None).processes == 1
    assert Backlog(**options, activation=1).recommend(trickle, None).processes == 0


def test_a_type_with_something_to_do_has_its_active_minimum():
    policy = Backlog(waiting="waiting", per_process=10, active_minimum=5)

    assert policy.recommend(observe(waiting=11), None).reason == "11 waiting / 10 per process -> 2; at least 5 while there are jobs"
    assert policy.recommend(observe(waiting=0), None).processes == 0


IDLING = Backlog(waiting="waiting", per_process=10, idle_for_seconds=300)


def test_the_last_process_stays_until_the_type_was_idle_for_long_enough():
    ticks = (observe(now=0.0, waiting=25), observe(now=100.0, waiting=0), observe(now=300.0, waiting=0), observe(now=300.1, waiting=0))

    assert [answer.processes for answer in follow(IDLING, *ticks)] == [3, 1, 1, 0]


def test_why_the_last_process_stays_is_told():
    answers = follow(IDLING, observe(now=0.0, waiting=25), observe(now=100.0, waiting=0))

    assert answers[1].reason == "0 waiting / 10 per process -> 0; idle for 100 s, no longer than 300 s: 1 stay"
    assert answers[1].memory == {"active_at": 0.0}


def test_idling_starts_nothing():
    answers = follow(IDLING, observe(now=0.0, waiting=25), observe(now=100.0, waiting=0, desired=0))

    assert answers[1].processes == 0


def test_a_type_that_was_never_active_idles_for_no_time():
    assert IDLING.recommend(observe(waiting=0), None).processes == 0


def test_an_idle_type_below_its_activation_keeps_what_the_formula_wants_of_it():
    policy = Backlog(waiting="waiting", per_process=10, activation=50, idle_for_seconds=300)
    ticks = (observe(now=0.0, waiting=51), observe(now=10.0, waiting=40, desired=6), observe(now=20.0, waiting=40, desired=2))

    assert [answer.processes for answer in follow(policy, *ticks)] == [6, 4, 2]


def test_the_time_a_job_takes_may_be_a_metric():
    policy = Backlog(waiting="waiting", busy="busy", job_seconds="seconds")

    assert policy.recommend(observe(waiting=700, busy=2, seconds=0.4), None).reason == "700 waiting / (2.5/s x 60 s) = 4.67 -> 5"


def test_a_job_that_takes_no_time_is_missing():
    with pytest.raises(MissingReadingError, match="seconds is missing: 0 s is no time that a job takes"):
        Backlog(waiting="waiting", job_seconds="seconds").recommend(observe(waiting=7, seconds=0), None)


LITTLE = Backlog(waiting="waiting", busy="busy", arrival="arrival", completions="completions")


def test_the_time_a_job_takes_is_measured_by_littles_law():
    """Two busy that complete 5 a second take 0.4 s each."""
    answer = LITTLE.recommend(observe(waiting=700, busy=2, arrival=0, completions=5), None)

    assert answer.reason == "0/s / 2.5/s + 700 waiting / (2.5/s x 60 s) = 4.67 -> 5"
    assert answer.memory == {"busy": [[0.0, 2.0]], "job_seconds": 0.4}


def test_the_last_known_time_stands_in_while_nothing_is_completed():
    stalled = observe(waiting=700, busy=2, arrival=0, completions=0)

    assert follow(LITTLE, observe(waiting=700, busy=2, arrival=0, completions=5), stalled)[1].processes == 5


def test_a_time_that_was_never_known_is_missing():
    answer = LITTLE.recommend(observe(waiting=700, busy=2, arrival=0, completions=0), None)

    assert isinstance(answer, Missing)
    assert answer.reason == "completions is missing: no job was completed yet, so the time one job takes is not known"


def test_from_none_the_first_process_measures_how_long_a_job_takes():
    answer = LITTLE.recommend(observe(waiting=7, busy=0, arrival=0, completions=0, desired=0), None)

    assert answer.processes == 1
    assert answer.reason.endswith("so the time one job takes is not known: 1 to measure it")


def test_without_jobs_the_time_they_take_does_not_matter():
    assert LITTLE.recommend(observe(waiting=0, busy=0, arrival=0, completions=0), None).processes == 0


MEASURED = Backlog(waiting="waiting", busy="busy", completions="completions", job_takes_seconds=1.0)


def test_arrivals_are_measured_as_completions_and_growth():
    """From 100 to 160 jobs in 60 s is one more a second than the 2 a second that are completed."""
    first, then = observe(now=0.0, waiting=98, busy=2, completions=2), observe(now=60.0, waiting=158, busy=2, completions=2)

    assert follow(MEASURED, first, then)[1].reason == "3/s / 1/s + 158 waiting / (1/s x 60 s) = 5.63 -> 6"


def test_before_there_is_a_span_arrivals_are_the_completions():
    assert MEASURED.recommend(observe(waiting=120, busy=2, completions=2), None).reason.startswith("2/s / 1/s + ")


def test_arrivals_are_never_negative():
    emptied = observe(now=60.0, waiting=0, busy=2, completions=1)

    assert follow(MEASURED, observe(now=0.0, waiting=600, busy=2, completions=10), emptied)[1].processes == 2


def test_a_measured_span_is_kept_in_few_samples():
    answers = follow(MEASURED, *(observe(now=tick / 2, waiting=tick, busy=0, completions=1) for tick in range(400)))
    kept = answers[-1].memory["jobs"]

    assert len(kept) <= 14
    assert 60.0 <= 199.5 - kept[0][0] <= 70.0
    assert answers[-1].reason.startswith("3/s / 1/s + ")  # two more a second, and one that is completed


def test_a_sample_from_before_a_gap_is_forgotten():
    answers = follow(MEASURED, observe(now=0.0, waiting=0, busy=0, completions=2), observe(now=600.0, waiting=600, busy=0, completions=2))

    assert answers[1].memory["jobs"] == [[600.0, 600.0]]


def test_progress_is_told_by_completions():
    progress = MEASURED.progress(observe(waiting=7, busy=2, completions=2), None)

    assert progress == Progress(backlog=7.0, completed_per_second=2.0, at=0.0, job_seconds=1.0, window_seconds=30.0)


def test_progress_is_told_by_arrivals_and_growth():
    """Five arrive a second and two more wait: three are completed."""
    policy = Backlog(waiting="waiting", busy="busy", arrival="arrival", per_process=10)
    memory = policy.recommend(observe(now=0.0, waiting=20, busy=2, arrival=5), None).memory

    assert policy.progress(observe(now=10.0, waiting=40, busy=2, arrival=5), memory) == Progress(40.0, 3.0, 10.0, None, 10.0)


@pytest.mark.parametrize("policy", [CLEAR, Backlog(waiting="gone", completions="completions", per_process=1)])
def test_progress_that_cannot_be_told_is_none(policy):
    assert policy.progress(observe(waiting=7, busy=2, completions=1), None) is None


@given(st.lists(st.tuples(*[st.floats(0, allow_infinity=False)] * 4), min_size=1, max_size=6))
@pytest.mark.parametrize("policy", [LITTLE, MEASURED, Backlog(waiting="waiting", busy="busy", completions="completions", idle_for_seconds=9)])
def test_any_readings_are_answered_and_remembered(policy, ticks):
    """Whatever is read, in any order, the memory survives the record."""
    values = [dict(zip(("waiting", "busy", "arrival", "completions"), tick, strict=True)) for tick in ticks]
    answers = follow(policy, *(observe(now=7.0 * number, **value) for number, value in enumerate(values)))

    assert all(isinstance(answer, Missing) or answer.processes >= 0 for answer in answers)
    assert all(json.loads(json.dumps(answer.memory)) == answer.memory for answer in answers)
