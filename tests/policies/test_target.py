"""The target policy: ratios, tolerances, and the processes behind a reading."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.model import Counts, MissingReadingError, Observation, ProcessType, Reading, ReadyCount
from autoscaler_policies.target import Target
from autoscaler_policies.target_shares import total

WEB = ProcessType(name="web", minimum=0, maximum=999)


def observe(value, *, running=4, starting=0, failed=0, unknown=0, by_process=None, ready_before=None):  # noqa: PLR0913 - one keyword a thing that tests vary
    history = (ReadyCount(0.0, running if ready_before is None else ready_before), ReadyCount(20.0, running))
    reading = Reading("load", value, 10.0, 0.0, by_process)
    counts = Counts(running + starting + failed + unknown, running, starting, 0, failed, unknown)
    return Observation(30.0, 0.0, WEB, counts, {"load": reading}, ready_history=history)


def each(*values):
    return {f"web.{number}": value for number, value in enumerate(values, 1)}


PER_PROCESS = Target(metric="load", per_process=50)
UTILIZATION = Target(metric="load", utilization=0.5)


@pytest.mark.parametrize(
    ("load", "processes", "reason"),
    [
        (201, 5, "201 / 50 per process = 4.02 -> 5"),
        (200, 4, "200 / 50 per process = 4, within tolerance of 4: 4 stay"),
        (181, 4, "181 / 50 per process = 3.62, within tolerance of 4: 4 stay"),
        (179, 4, "179 / 50 per process = 3.58 -> 4"),
        (149, 3, "149 / 50 per process = 2.98 -> 3"),
        (0, 0, "0 / 50 per process = 0 -> 0"),
    ],
)
def test_a_total_is_divided_among_processes(load, processes, reason):
    recommendation = PER_PROCESS.recommend(observe(load), None)

    assert (recommendation.processes, recommendation.reason) == (processes, reason)


@pytest.mark.parametrize(("load", "processes"), [(220, 4), (221, 5), (180, 4), (140, 3)])
def test_tolerance_is_set_for_each_direction(load, processes):
    assert Target(metric="load", per_process=50, tolerance_out=0.1, tolerance_in=0.1).recommend(observe(load), None).processes == processes


def test_slow_starters_are_asked_for_once():
    """Four at 100 % against 50 % ask for eight on every tick until they are ready, not for sixteen."""
    assert UTILIZATION.recommend(observe(1.0), None).processes == 8
    assert UTILIZATION.recommend(observe(1.0, starting=4), None).processes == 8
    assert UTILIZATION.recommend(observe(1.0, running=8, ready_before=4), None).processes == 8


def test_the_reason_of_a_ratio_shows_the_processes_behind_it():
    assert UTILIZATION.recommend(observe(0.8), None).reason == "4 x 0.8 / 0.5 = 6.4 -> 7"


def test_at_its_target_a_type_does_not_shrink_to_its_crashes():
    assert UTILIZATION.recommend(observe(0.5, running=2, failed=2), None).processes == 4


def test_a_tolerance_names_the_processes_it_compared_with():
    assert UTILIZATION.recommend(observe(0.5, running=4, failed=6), None).reason == "4 x 0.5 / 0.5 = 4, within tolerance of 4: 10 stay"


@pytest.mark.parametrize(("policy", "load"), [(UTILIZATION, 0.4), (UTILIZATION, 0.9), (PER_PROCESS, 120), (Target(metric="load", total=15), 3)])
def test_hosts_that_do_not_answer_scale_nothing_in(policy, load):
    answer = policy.recommend(observe(load, running=4, unknown=6), None)

    assert answer.processes == 10
    assert answer.reason.endswith(", in doubt while the hosts of 6 do not answer: 10 stay")


def test_hosts_that_do_not_answer_hinder_no_scale_out():
    assert PER_PROCESS.recommend(observe(520, running=4, unknown=6), None).processes == 11


@pytest.mark.parametrize("values", [(0.4,) * 4, (0.9,) * 4])
def test_processes_of_hosts_that_do_not_answer_are_filled_conservatively(values):
    answer = UTILIZATION.recommend(observe(sum(values), running=4, unknown=6, by_process=each(*values)), None)

    assert answer.processes == 10


@pytest.mark.parametrize("by_process", [None, each(0.9, 0.9, 0.9, 0.9)])
def test_what_failed_is_not_given_up_above_the_target(by_process):
    answer = UTILIZATION.recommend(observe(0.9, running=4, failed=6, by_process=by_process), None)

    assert answer.processes == 10
    assert answer.reason.endswith(" = 7.2, but above its target while 6 failed: 10 stay")
    assert UTILIZATION.recommend(observe(0.4, running=4, failed=6, by_process=by_process and each(*[0.4] * 4)), None).processes == 4


def test_a_mean_over_no_process_is_missing():
    with pytest.raises(MissingReadingError, match="no process was ready"):
        UTILIZATION.recommend(observe(0.9, running=0), None)


def test_from_zero_a_total_counts_by_itself():
    policy = Target(metric="load", total=15)

    assert policy.recommend(observe(20, running=0), None).processes == 2


@pytest.mark.parametrize(
    ("values", "running", "starting", "processes"),
    [
        (each(0.2, 0.4, 0.6), 3, 0, 3),  # mean 0.4 of 0.5: 2.4 -> 3
        (each(1.0, 1.0), 2, 0, 4),
        (each(1.0, 1.0), 2, 2, 4),  # the starting ones taken at 0: mean 0.5
        (each(1.0, 1.0), 3, 0, 4),  # one without a value taken at 0
        (each(0.1, 0.1, 0.1), 4, 0, 3),  # one without a value taken at 1: 1.3 / 0.5
        (each(0.1, 0.1), 4, 0, 4),  # two without a value taken at 1 would turn it: stays
        (each(0.5, 0.5, 0.5), 4, 0, 4),  # at the target, one without a value: no reason to scale in
        (each(0.45), 3, 1, 4),  # within tolerance once filled
        (each(0.6), 3, 1, 4),  # more load, but filled it would turn: stays
    ],
)
def test_a_value_of_each_process_is_filled_conservatively(values, running, starting, processes):
    reading = observe(sum(values.values()), running=running, starting=starting, by_process=values)

    assert UTILIZATION.recommend(reading, None).processes == processes


@pytest.mark.parametrize(
    ("values", "running", "starting", "reason"),
    [
        (each(1.0, 1.0), 2, 2, "2 over 2 of 4 processes / 0.5 each = 4, within tolerance of 4: 4 stay"),
        (each(0.1, 0.1, 0.1), 4, 0, "(0.3 over 3 processes + 1 without a value at 1) / 0.5 each = 2.6 -> 3"),
        (each(0.6), 3, 1, "0.6 over 1 of 4 processes / 0.5 each = 1.2, in doubt while some give no value: 4 stay"),
    ],
)
def test_the_reason_shows_what_was_filled_in(values, running, starting, reason):
    reading = observe(sum(values.values()), running=running, starting=starting, by_process=values)

    assert UTILIZATION.recommend(reading, None).reason == reason


def test_a_share_per_process_is_filled_with_its_target():
    answered = observe(20.0, running=4, by_process=each(10.0, 10.0))

    assert PER_PROCESS.recommend(answered, None).reason == "(20 over 2 processes + 2 without a value at 50) / 50 each = 2.4 -> 3"


def test_a_process_without_a_value_is_taken_at_a_utilization_above_1():
    answered = observe(2.0, running=4, by_process=each(1.0, 1.0, 0.0))

    assert Target(metric="load", utilization=3).recommend(answered, None).processes == 2  # (2 + 3) / 3


def test_a_wish_against_the_direction_of_its_ratio_changes_nothing():
    """Three are there where two were told to run: less load must not ask for a third."""
    observation = replace(observe(0.4, running=3, by_process=each(0.2, 0.2)), counts=Counts(2, 3))

    assert UTILIZATION.recommend(observation, None).processes == 2  # (0.4 + 1) / 0.5 = 2.8 -> 3


@pytest.mark.parametrize("policy", [PER_PROCESS, UTILIZATION])
@pytest.mark.parametrize(("running", "starting"), [(4, 0), (0, 5)])
def test_processes_of_which_none_gave_a_value_are_missing(policy, running, starting):
    with pytest.raises(MissingReadingError, match="no process gave a value"):
        policy.recommend(observe(0.0, running=running, starting=starting, by_process={}), None)


def test_a_share_per_process_counts_those_that_answered():
    answered = observe(120.0, running=2, by_process=each(60.0, 60.0))

    assert PER_PROCESS.recommend(answered, None).reason == "120 over 2 processes / 50 each = 2.4 -> 3"


OF_CAPACITY = Target(metric="load", utilization=0.5, capacity="cores")


def observe_cores(used, cores, **counts):
    observation = observe(sum(used.values()), by_process=used, **counts)
    return replace(observation, readings={**observation.readings, "cores": Reading("cores", sum(cores.values()), 10.0, 0.0, cores)})


@pytest.mark.parametrize(
    ("used", "cores", "running", "starting", "reason"),
    [
        (each(1.0, 2.0), each(2.0, 2.0), 2, 0, "2 processes x 3 / 4 used / 0.5 = 3 -> 3"),
        (each(1.0, 2.0), each(2.0, 2.0), 2, 1, "3 processes x (3 + 0 for 1 without a value) / 6 used / 0.5 = 3, within tolerance of 3: 3 stay"),
        (each(0.1, 0.1), each(1.0, 3.0), 2, 0, "2 processes x 0.2 / 4 used / 0.5 = 0.2 -> 1"),
        (each(0.1, 0.1, 0.1), each(2.0, 2.0, 2.0, 2.0), 4, 0, "4 processes x (0.3 + 2 for 1 without a value) / 8 used / 0.5 = 2.3 -> 3"),
        (each(0.1, 0.1, 0.1), each(2.0, 2.0, 2.0), 4, 0, "4 processes x (0.3 + 2 for 1 without a value) / 8 used / 0.5 = 2.3 -> 3"),
        (each(0.1, 0.1, 0.1), each(2.0, 2.0, 2.0, 1.0, 2.0), 4, 1, "4 processes x (0.3 + 2 for 1 without a value) / 8 used / 0.5 = 2.3 -> 3"),
    ],
)
def test_utilization_is_the_share_of_capacity_that_is_used(used, cores, running, starting, reason):
    assert OF_CAPACITY.recommend(observe_cores(used, cores, running=running, starting=starting), None).reason == reason


@pytest.mark.parametrize(
    ("used", "cores", "cause"),
    [
        (each(1.0, 1.0), each(2.0), "cores is missing: web.2 has no capacity"),
        (each(1.0, 1.0), {}, "cores is missing: web.1 has no capacity"),
        (each(1.0, 1.0), each(0.0, -1.0), "cores is missing: no process has any"),
        ({}, each(2.0, 2.0), "load is missing: no process gave a value"),
    ],
)
def test_a_share_of_no_capacity_is_missing(used, cores, cause):
    with pytest.raises(MissingReadingError) as caught:
        OF_CAPACITY.recommend(observe_cores(used, cores, running=2), None)

    assert str(caught.value) == cause


def test_a_value_of_a_process_that_is_gone_does_not_count():
    observation = observe_cores({**each(1.0, 2.0), "web.9": 9.0}, each(2.0, 2.0), running=2)

    assert OF_CAPACITY.recommend(observation, None).processes == 3


def test_capacity_is_for_utilization_only():
    with pytest.raises(ValueError, match="capacity is for utilization only"):
        Target(metric="load", per_process=1.0, capacity="cores")


def test_one_of_three_ready_at_twice_the_target_wants_two():
    """After the HPA: only those behind the reading are multiplied, even to fewer than there are."""
    assert Target(metric="load", total=4.4).recommend(observe(8.6, running=1, starting=2), None).processes == 2


@pytest.mark.parametrize(
    ("values", "wanted"),
    [((0.1, 0.2), "3/10"), ((1e308, 1e308, -5.0), str(2 * int(1e308))), ((1e16, 0.1), "100000000000000001/10"), ((7, 0.25, 0.0), "29/4")],
)
def test_a_total_has_no_rounding_error(values, wanted):
    assert total(values) == Fraction(wanted)


@given(st.lists(st.decimals(0, 10**6, places=6).map(float), max_size=9))
def test_a_total_of_short_decimals_is_that_of_their_digits(values):
    assert total(values) == sum(Fraction(repr(value)) for value in values)


@given(st.lists(st.floats(-1.0, 1e12, allow_subnormal=False), max_size=9))
def test_a_total_of_long_decimals_differs_in_no_digit_that_a_double_keeps(values):
    digits = sum(Fraction(repr(value)) for value in values if value > 0)

    assert abs(total(values) - digits) <= digits / 2**53


@given(st.lists(st.floats(0.51, 1.0), min_size=1, max_size=8))
def test_slow_starters_never_raise_the_wish_while_the_reading_stays(busy):
    used, cores = each(*busy), each(*[1.0] * len(busy))
    first = OF_CAPACITY.recommend(observe_cores(used, cores, running=len(busy)), None).processes
    starters = range(first - len(busy) + 1)

    wishes = [OF_CAPACITY.recommend(observe_cores(used, cores, running=len(busy), starting=more), None).processes for more in starters]

    assert max(wishes) == first


@pytest.mark.parametrize(
    ("policy", "load", "wanted"),
    [(UTILIZATION, 0.8, 7), (PER_PROCESS, 280, 6), (PER_PROCESS, 250, 5), (Target(metric="load", per_process=50, tolerance_out=0.2), 280, 5)],
)
def test_fewer_processes_would_share_the_same_load(policy, load, wanted):
    """Five would carry 250 of 50 each, and 300 within a tolerance of a fifth; 4 at 0.8 are 6.4 at 0.5."""
    assert policy.projected(observe(load), 5) == wanted


def test_a_wish_in_doubt_projects_no_scale_in():
    assert UTILIZATION.projected(observe(0.6, running=3, starting=1, by_process=each(0.6)), 2) == 4


@pytest.mark.parametrize("options", [{}, {"per_process": 1.0, "total": 1.0}])
def test_exactly_one_target_is_given(options):
    with pytest.raises(ValueError, match="exactly one of per_process, utilization and total"):
        Target(metric="load", **options)


def test_a_missing_reading_is_not_zero():
    with pytest.raises(MissingReadingError):
        PER_PROCESS.recommend(Observation(0.0, 0.0, WEB, Counts(4, 4)), None)


@given(
    st.sampled_from([PER_PROCESS, UTILIZATION, Target(metric="load", total=3)]),
    st.tuples(*[st.floats(0, 1e6)] * 2),
    st.tuples(*[st.integers(0, 20)] * 3),
)
def test_more_load_never_means_fewer_processes(policy, loads, sizes):
    running, starting, before = (sizes[0] + 1, sizes[1], sizes[2] + 1)
    wishes = [policy.recommend(observe(load, running=running, starting=starting, ready_before=before), None).processes for load in sorted(loads)]

    assert wishes == sorted(wishes)


@pytest.mark.parametrize(
    ("goal", "metrics", "leaves"),
    [
        ({"per_process": 1.0}, {"load"}, True),
        ({"total": 1.0}, {"load"}, True),
        ({"total": 1.0}, set(), False),
        ({"utilization": 1.0}, {"load"}, False),
    ],
)
def test_a_mean_over_none_never_leaves_zero(goal, metrics, leaves):
    assert Target(metric="load", **goal).leaves_zero(metrics) is leaves


@pytest.mark.parametrize(("size", "wanted"), [(1, 2), (2, 2), (9, 2)])
def test_what_is_projected_is_never_more_than_the_load_needs(size, wanted):
    observation = Observation(5.0, 1e9, ProcessType(name="web", minimum=0, maximum=9), Counts(9, 9), {"load": Reading("load", 1.0, 5.0)})

    assert Target(metric="load", per_process=0.5).projected(observation, size) == wanted


def test_an_average_is_refused_where_it_is_not_known_who_is_ready():
    """Of those that still start a ratio would ask for more and more."""
    blind = replace(observe(1.0), unready="there is no right to look at the workload")
    with pytest.raises(MissingReadingError, match="it is an average of the ready processes, and there is no right to look at the workload"):
        UTILIZATION.recommend(blind, None)
    assert PER_PROCESS.recommend(replace(blind, readings=observe(201).readings), None).processes == 5
