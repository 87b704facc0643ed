"""The step policy: bands, roundings, how long a reading must call, and one step a reading."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.config.loading import load_text
from autoscaler.decide.asking import ask
from autoscaler.decide.settings import NamedPolicy
from autoscaler.model import Counts, Missing, Observation, ProcessType, Reading, ReadyCount
from autoscaler_policies.step import Step
from autoscaler_policies.step_bands import Band

WEB = ProcessType(name="web", minimum=0, maximum=99)
LATENCY = (Band(above=0.5, change=1), Band(below=0.1, change=-1))
LADDER = (
    Band(at_least=60, below=70, change="+10%"),
    Band(at_least=70, change="+30%"),
    Band(above=30, at_most=40, change="-10%"),
    Band(at_most=30, change="-30%"),
)


def observe(value, now=0.0, *, size=4, running=None, starting=0, failed=0, window=0.0, at=None, ready=None):  # noqa: PLR0913 - one keyword a thing that tests vary
    running = size if running is None else running
    reading = Reading("load", value, now if at is None else at, window)
    history = (ReadyCount(0.0 if ready is None else ready, running),)
    return Observation(now, 0.0, WEB, Counts(size, running, starting, 0, failed), {"load": reading}, ready_history=history)


def last(policy, *observations):
    memory, answer = None, None
    for observation in observations:
        answer = policy.recommend(observation, memory)
        memory = json.loads(json.dumps(answer.memory))
    return answer


def steps(**options):
    return Step(metric="load", **{"bands": LATENCY} | options)


def percent(change, rounding, **options):
    return steps(bands=(Band(above=0, change=change, **options),), rounding=rounding)


@pytest.mark.parametrize(
    ("value", "size", "processes", "reason"),
    [
        (0.7, 4, 5, "load 0.7 above 0.5: 4 + 1 = 5"),
        (0.5, 4, 4, "load 0.5 in no band: 4 stay"),
        (0.1, 4, 4, "load 0.1 in no band: 4 stay"),
        (0.05, 4, 3, "load 0.05 below 0.1: 4 - 1 = 3"),
        (0.0, 0, 0, "load 0 below 0.1: 0 - 1 -> 0"),
        (1e308, 4, 5, "load 1.00e+308 above 0.5: 4 + 1 = 5"),
        (-3.0, 4, 3, "load -3 below 0.1: 4 - 1 = 3"),
    ],
)
def test_a_reading_in_a_band_makes_its_step(value, size, processes, reason):
    recommendation = steps().recommend(observe(value, size=size), None)

    assert (recommendation.processes, recommendation.reason) == (processes, reason)


@pytest.mark.parametrize(("value", "processes"), [(59, 10), (60, 11), (69.9, 11), (70, 13), (41, 10), (40, 9), (30.1, 9), (30, 7)])
def test_each_edge_belongs_to_the_band_that_says_so(value, processes):
    assert steps(bands=LADDER).recommend(observe(value, size=10), None).processes == processes


def test_step_scaling_walks_as_in_the_manual_of_aws():
    walk = [observe(60, 0.0, size=10), observe(70, 60.0, size=11), observe(70, 120.0, size=11), observe(40, 180.0, size=14)]

    assert last(steps(bands=LADDER), *walk[:1]).reason == "load 60 at least 60 and below 70: 10 +10% = 11"
    assert last(steps(bands=LADDER), *walk[:3]).reason == "load 70 at least 70: 11 +30% = 14.3 -> 14"
    assert last(steps(bands=LADDER), *walk, observe(40, 240.0, size=14)).processes == 13


@pytest.mark.parametrize(
    ("size", "change", "rounding", "after"),
    [
        # AWS: 12.7 -> 12, 0.67 -> 1, -0.58 -> -1, -6.67 -> -6
        (100, "+12.7%", "down", 112), (100, "+0.67%", "down", 101), (100, "-0.58%", "down", 99), (100, "-6.67%", "down", 94),
        # Nomad: ceil(n x (1 + p/100))
        (10, "+30%", "up", 13), (3, "+10%", "up", 4), (10, "-15%", "up", 9), (10, "-1%", "up", 10), (100, "+10%", "up", 110),
        # Cloud Foundry: int(n x (1 + p/100) + 0.5), at least one process
        (10, "+10%", "nearest", 11), (3, "+10%", "nearest", 4), (3, "-10%", "nearest", 2), (7, "-50%", "nearest", 4),
        (1, "-50%", "nearest", 0), (1, "+50%", "nearest", 2),
        (0, "+10%", "down", 1), (1, "-200%", "down", 0), (4, "0%", "down", 4),
    ],
)  # fmt: skip
def test_percentages_are_rounded_as_the_system_they_come_from_does(size, change, rounding, after):
    assert percent(change, rounding).calls_for(1.0, size) == after


def test_a_magnitude_is_the_least_that_a_percentage_changes():
    recommendation = percent("+25%", "down", magnitude=2).recommend(observe(1.0), None)

    assert recommendation.reason == "load 1 above 0: 4 +25% = 5 -> 6, changing at least 2"


@pytest.mark.parametrize(("size", "processes"), [(1, 4), (9, 4), (4, 4)])
def test_a_band_may_set_the_size(size, processes):
    assert percent("=4", "down").recommend(observe(1.0, size=size), None).processes == processes


@pytest.mark.parametrize(
    ("readings", "processes", "reason"),
    [
        ([(0, 0.7), (50, 0.7)], 4, "load 0.7 above 0.5, known for 50 s of 60 s: 4 stay"),
        ([(0, 0.7), (30, 0.6), (60, 0.7)], 5, "load 0.7, over 60 s above 0.5: 4 + 1 = 5"),
        ([(0, 0.3), (1, 0.7), (61, 0.7)], 5, "load 0.7, over 60 s above 0.5: 4 + 1 = 5"),
        ([(0, 0.7), (30, 0.3), (60, 0.7)], 4, "load 0.7, not all of 60 s call for more: 4 stay"),
        ([(0, 0.05), (30, 0.3), (60, 0.05)], 4, "load 0.05, not all of 60 s call for fewer: 4 stay"),
        ([(0, 0.05), (30, 0.7), (60, 0.05)], 4, "load 0.05, not all of 60 s call for fewer: 4 stay"),
        ([(0, 0.7), (60, 0.3)], 4, "load 0.3 in no band: 4 stay"),
    ],
)
def test_every_reading_of_the_time_must_call_for_the_direction(readings, processes, reason):
    recommendation = last(steps(for_seconds=60.0), *(observe(value, float(now)) for now, value in readings))

    assert (recommendation.processes, recommendation.reason) == (processes, reason)


def test_the_mildest_change_that_all_readings_call_for_is_made():
    policy = steps(bands=LADDER, for_seconds=60.0)
    recommendation = last(policy, observe(65, 0.0, size=10), observe(95, 60.0, size=10))

    assert recommendation.reason == "load 95, over 60 s mildest at least 60 and below 70: 10 +10% = 11"


@pytest.mark.parametrize(
    ("options", "values", "processes", "reason"),
    [
        ({"readings": 2}, [0.7], 4, "load 0.7, 1 of 1 readings call for more and 0 for fewer, 2 are needed: 4 stay"),
        ({"readings": 2}, [0.7, 0.7], 5, "load 0.7, 2 of 2 readings above 0.5: 4 + 1 = 5"),
        ({"readings": 2}, [0.7, 0.7, 0.3], 4, "load 0.3, 1 of 2 readings call for more and 0 for fewer, 2 are needed: 4 stay"),
        ({"readings": 2, "for_seconds": 30.0}, [0.7, 0.3, 0.7, 0.3], 5, "load 0.3, 2 of 4 readings in 30 s above 0.5: 4 + 1 = 5"),
        (
            {"readings": 2, "for_seconds": 10.0},
            [0.7, 0.7, 0.3],
            4,
            "load 0.3, 1 of 2 readings in 10 s call for more and 0 for fewer, 2 are needed: 4 stay",
        ),
        ({"readings": 2, "for_seconds": 30.0}, [0.05, 0.05, 0.3], 3, "load 0.3, 2 of 3 readings in 30 s below 0.1: 4 - 1 = 3"),
        ({"readings": 1, "for_seconds": 30.0}, [0.7, 0.05], 5, "load 0.05, 1 of 2 readings in 30 s above 0.5: 4 + 1 = 5"),
    ],
)
def test_enough_readings_may_call_instead_of_all(options, values, processes, reason):
    recommendation = last(steps(**options), *(observe(value, 10.0 * index) for index, value in enumerate(values)))

    assert (recommendation.processes, recommendation.reason) == (processes, reason)


def test_the_same_reading_counts_once():
    again = [observe(0.7, float(now), at=0.0) for now in range(5)]

    assert last(steps(readings=2), *again).processes == 4


def test_a_step_that_was_refused_is_repeated_and_not_added_up():
    assert last(steps(), observe(0.7, 0.0), observe(0.7, 5.0), observe(0.7, 10.0)).processes == 5


def test_no_second_step_before_the_first_is_ready():
    recommendation = last(steps(), observe(0.7, 0.0), observe(0.9, 5.0, size=5, running=4, starting=1))

    assert (recommendation.processes, recommendation.reason) == (5, "4 of 5 run after the last change: 5 stay")


@pytest.mark.parametrize(("at", "window", "processes"), [(19.0, 0.0, 5), (20.0, 0.0, 5), (21.0, 0.0, 6), (21.0, 10.0, 5), (31.0, 10.0, 6)])
def test_the_next_step_needs_a_reading_whose_window_lies_after_the_last_one_was_ready(at, window, processes):
    started = observe(0.9, 5.0, size=5, running=4, starting=1)
    after = observe(0.9, 40.0, size=5, at=at, window=window, ready=20.0)

    assert last(steps(), observe(0.7, 0.0), started, after).processes == processes


def test_the_reason_says_why_an_old_reading_does_not_count():
    recommendation = last(steps(), observe(0.7, 0.0), observe(0.9, 25.0, size=5, at=19.0, ready=20.0))

    assert recommendation.reason == "load 0.9 is from before the last change was ready, 0 s ago: 5 stay"


def test_a_change_by_somebody_else_is_waited_for_as_well():
    assert last(steps(), observe(0.3, 0.0, size=9), observe(0.7, 5.0, size=2)).processes == 2


def test_time_before_a_change_does_not_count():
    before = [observe(0.7, float(now)) for now in range(0, 61, 5)]
    after = [observe(0.7, float(now), size=5) for now in range(65, 126, 5)]
    policy = steps(for_seconds=60.0)

    assert last(policy, *before).processes == 5
    assert last(policy, *before, *after).processes == 5  # 70 to 125 are 55 s
    assert last(policy, *before, *after, observe(0.7, 130.0, size=5)).processes == 6


def test_a_process_that_fails_is_not_waited_for():
    down = observe(0.9, 5.0, size=5, running=4, failed=1)

    assert last(steps(), observe(0.7, 0.0), down, observe(0.9, 10.0, size=5, running=4, failed=1)).processes == 6


def test_a_process_that_never_comes_is_not_waited_for_longer_than_a_start_may_take():
    lost = [observe(0.9, now, size=5, running=4) for now in (5.0, 64.0, 65.0, 70.0)]

    assert [last(steps(), observe(0.7, 0.0), *lost[:seen]).processes for seen in (1, 2, 3, 4)] == [5, 5, 5, 6]


def test_processes_that_leave_late_are_waited_for():
    leaving = observe(0.05, 10.0, size=3, running=4)
    gone = observe(0.05, 20.0, size=3, ready=20.0)
    policy = steps()

    assert last(policy, observe(0.05, 0.0), observe(0.05, 5.0, size=3, running=4), leaving).processes == 2
    assert last(policy, observe(0.05, 0.0), observe(0.05, 5.0, size=3, running=4), gone).processes == 3


def test_a_type_that_is_starting_is_waited_for_at_the_beginning():
    assert last(steps(), observe(0.9, 0.0, running=2, starting=2)).processes == 4


def test_a_missing_reading_begins_the_time_anew():
    down = Observation(30.0, 0.0, WEB, Counts(4, 4), missing={"load": "no answer"})
    policy = NamedPolicy("step", steps(for_seconds=60.0))
    known = ask(policy, observe(0.05, 0.0), None)
    missing = ask(policy, down, known.memory)

    assert missing == Missing("load", "no answer", known.memory | {"history": [], "counted": None})
    assert "known for 0 s of 60 s" in ask(policy, observe(0.05, 60.0), missing.memory).reason
    assert ask(policy, down, None) == Missing("load", "no answer")


@pytest.mark.parametrize(
    ("value", "size", "fewer", "projected"),
    [(60, 3, 2, 3), (50, 3, 2, 2), (575, 3, 2, 3), (1e308, 99, 1, 2), (0, 3, 0, 0)],  # out at 80: 60 x 3 / 2 = 90, 50 x 3 / 2 = 75
)
def test_a_mean_is_projected_onto_fewer_processes(value, size, fewer, projected):
    azure = steps(bands=(Band(at_least=80, change=1), Band(below=60, change=-1))) if value else steps(bands=(Band(at_least=80, change=1),))
    projecting = azure.projected(observe(value, size=size), fewer)

    assert max(projecting, fewer) == projected


def test_a_mean_at_an_edge_is_projected_without_the_error_of_floats():
    assert steps(bands=(Band(at_least=0.3, change=1),)).projected(observe(0.1, size=3), 1) == 2  # 0.1 x 3 is 0.3


def test_a_total_does_not_change_with_the_processes():
    assert steps(reading_is="total").projected(observe(0.3, size=3), 1) == 1


@pytest.mark.parametrize(
    ("bands", "sentence"),
    [
        ([], "bands is empty; give at least one"),
        ([{"at_least": 1, "above": 1, "change": 1}], "has two lower edges; keep at_least or above"),
        ([{"at_most": 1, "below": 1, "change": 1}], "has two upper edges; keep below or at_most"),
        ([{"change": 1}], "the band with change 1 has no edge and would act for ever"),
        ([{"at_least": 5, "below": 5, "change": 1}], "the band at least 5 and below 5 holds no reading"),
        ([{"above": 5, "change": "30%"}], r"'30%' has no sign; write '\+30%' or '-30%'"),
        ([{"above": 5, "change": "more"}], "the change 'more' cannot be read; write processes such as"),
        ([{"above": 5, "change": 1, "magnitude": 2}], "has a magnitude and changes no percent"),
        ([{"above": 5, "change": "+5%", "magnitude": 0}], "give at least 1"),
        ([{"at_least": 5, "change": 1}, {"at_most": 5, "change": -1}], "the bands at most 5 and at least 5 overlap"),
        ([{"above": 5, "change": 1}, {"above": 9, "change": 2}], "the bands above 5 and above 9 overlap"),
        ([{"above": 5, "below": 9, "change": 1}, {"above": 9, "change": 2}], "leave a gap in which nothing happens"),
    ],
)
def test_bands_that_cannot_be_meant_are_refused(bands, sentence):
    with pytest.raises(ValueError, match=sentence):
        steps(bands=tuple(Band(**band) for band in bands))


@pytest.mark.parametrize("options", [{"for_seconds": -1.0}, {"readings": 0}])
def test_a_trigger_below_one_is_refused(options):
    with pytest.raises(ValueError, match="at least 1 reading"):
        steps(**options)


@pytest.mark.parametrize(
    ("bands", "open_ends"),
    [
        (LATENCY, []),
        (LADDER, []),
        ([Band(at_least=60, below=70, change=1)], ["above"]),
        ([Band(at_least=60, below=70, change=-1)], ["below"]),
        ([Band(below=70, change=1)], []),
        ([Band(at_least=60, below=70, change="=4")], ["above", "below"]),
        ([Band(at_least=60, below=70, change=1), Band(at_least=10, below=20, change=-1)], ["above", "below"]),
        ([Band(at_least=60, below=70, change=1), Band(at_least=70, below=90, change=0)], []),
    ],
)
def test_readings_beyond_the_outermost_band_are_a_warning(bands, open_ends):
    warnings = steps(bands=tuple(bands)).warnings()

    assert [warning.split(" the band")[0].removeprefix("a reading ") for warning in warnings] == open_ends


def test_more_readings_than_ticks_can_bring_are_a_warning():
    assert steps(readings=3, for_seconds=0.2).warnings() == ()
    assert steps(readings=100, for_seconds=5.0).warnings() == ("100 readings never come in 5 s: the shortest interval is 0.1 s; lower readings",)


FILE = """
metrics: {{load: {{file: {{path: load}}}}}}
formation: {{web: {{maximum: 9, command: serve, policies: [{{step: {{metric: load, for: 1m, bands: {bands}}}}}]}}}}
"""


def test_bands_are_read_from_the_file():
    written = (
        '[{at_least: 60, below: 70, change: "+10%"}, {at_least: 70, change: +2}, {below: 9, change: "=4"}, {at_least: 9, at_most: 20, change: -1}]'
    )
    (web,) = load_text(FILE.format(bands=written), "autoscaler.yaml", {}).types
    policy = web.policies[0].policy

    assert policy.for_seconds == 60.0
    assert [policy.calls_for(value, 10) for value in (65, 80, 8, 10, 50)] == [11, 12, 4, 9, 10]


@given(st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 2), st.integers(0, 1000), st.sampled_from([LATENCY, LADDER]))
def test_more_load_never_means_fewer_processes(values, size, bands):
    wishes = [steps(bands=bands).recommend(observe(value, size=size), None).processes for value in sorted(values)]

    assert wishes == sorted(wishes)
    assert wishes[0] >= 0


@given(
    st.lists(st.tuples(st.floats(-100, 100), st.integers(0, 9), st.integers(0, 2), st.floats(0, 90)), max_size=12),
    st.sampled_from([{}, {"for_seconds": 30.0}, {"readings": 3}, {"readings": 2, "for_seconds": 30.0}]),
)
def test_any_course_is_answered_within_one_step(course, options):
    policy, memory, now = steps(bands=LADDER, **options), None, 0.0
    for value, size, starting, after in course:
        now += after
        answer = policy.recommend(observe(value, now, size=size, starting=starting), memory)
        memory = json.loads(json.dumps(answer.memory))

        assert memory == answer.memory
        assert abs(answer.processes - size) <= max(1, size * 3 // 10)


def test_processes_that_come_late_are_ready_when_they_run():
    late = observe(0.7, 5.0, size=5, running=4)
    policy, there = steps(), [observe(0.7, now, size=5, ready=10.0) for now in (10.0, 15.0)]

    assert [last(policy, observe(0.7, 0.0), late, *there[:seen]).processes for seen in (0, 1, 2)] == [5, 5, 6]


@pytest.mark.parametrize(("change", "leaves"), [(1, True), ("=2", True), ("+10%", True), (-1, False), ("=0", False)])
def test_a_band_that_scales_out_leaves_zero(change, leaves):
    assert Step(metric="load", bands=(Band(below=10, change=change),)).leaves_zero({"load"}) is leaves
