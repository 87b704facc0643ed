"""The spare policy: php-fpm's, prefork's and uWSGI's rules, pass by pass."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.decide.settings import metrics_of
from autoscaler.model import Counts, MissingReadingError, Observation, ProcessType, Reading
from autoscaler_policies.spare import Spare
from autoscaler_policies.spare_pass import see


def web(minimum=1, maximum=50, interval=1.0):
    return ProcessType(name="web", minimum=minimum, maximum=maximum, interval_seconds=interval)


def observe(size=5, now=0.0, kind=None, counts=None, **values):
    readings = {metric: Reading(metric, float(value), now) for metric, value in values.items()}
    return Observation(now, now, kind or web(), counts or Counts(size, size), readings, {"busy": "down"})


def sizes(policy, start, *, kind=None, follows=lambda _: True, **loads):
    """Take a pass a second, and let the size follow the answer when ``follows(pass)``."""
    size, memory, seen = start, None, []
    for tick, values in enumerate(zip(*loads.values(), strict=True)):
        read = dict(zip(loads, values, strict=True))
        read["busy"] = min(read.get("busy", 0), size)
        answer = policy.recommend(observe(size, float(tick), kind, **{"listening": 0, **read}), memory)
        memory = json.loads(json.dumps(answer.memory))
        size = answer.processes if follows(tick) else size
        seen.append(size)
    return seen


def spare(mode, **fields):
    needs = {"ondemand": {"busy": "busy", "listening": "listening"}, "backlog": {"listening": "listening"}}
    return Spare(mode=mode, **{**needs.get(mode, {"busy": "busy"}), **fields})


DYNAMIC = spare("dynamic", minimum_spare=5, maximum_spare=10)
PREFORK = spare("prefork")


def test_dynamic_adds_twice_as_many_each_pass_and_never_more_than_are_missing():
    assert sizes(DYNAMIC, 5, busy=[100] * 8) == [6, 8, 12, 17, 22, 27, 32, 37]


def test_dynamic_removes_one_a_pass_above_the_most_spare():
    assert sizes(DYNAMIC, 20, busy=[0] * 12) == [19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 10, 10]


def test_prefork_adds_more_than_are_missing():
    assert sizes(PREFORK, 5, busy=[1000] * 9, kind=web(maximum=256)) == [6, 8, 12, 20, 36, 68, 100, 132, 164]


def test_prefork_begins_at_one_again_after_a_calm_pass():
    assert sizes(PREFORK, 5, busy=[5, 5, 5, 5, 20, 20, 20, 20], kind=web(maximum=256)) == [6, 8, 12, 12, 13, 15, 19, 27]


@pytest.mark.parametrize("policy", [DYNAMIC, PREFORK])
def test_no_more_are_added_than_the_maximum_has_room_for(policy):
    assert sizes(policy, 5, busy=[100] * 5, kind=web(maximum=10)) == [6, 8, 10, 10, 10]


@pytest.mark.parametrize("policy", [DYNAMIC, PREFORK])
def test_the_rate_does_not_double_while_the_size_does_not_follow(policy):
    assert sizes(policy, 5, busy=[100] * 6, follows=lambda tick: tick > 2) == [5, 5, 5, 6, 8, 12]


def test_a_part_of_the_way_is_no_following():
    first = DYNAMIC.recommend(observe(5, 0.0, busy=5), None)
    second = DYNAMIC.recommend(observe(6, 1.0, busy=6), first.memory)
    partly = DYNAMIC.recommend(observe(7, 2.0, busy=7), second.memory)

    assert [first.processes, second.processes, partly.processes] == [6, 8, 9]  # 8 did not come: the rate stays 2


def test_starting_processes_count_as_idle():
    answer = DYNAMIC.recommend(observe(counts=Counts(desired=12, running=8, starting=4), busy=8), None)

    assert answer.processes == 13
    assert answer.reason == "8 of 12 busy, 4 idle (4 starting) < 5 spare: min(rate 1, 1 missing, room 38) = 1 more -> 13"


def test_what_was_asked_for_and_is_not_there_yet_is_not_asked_for_again():
    assert DYNAMIC.recommend(observe(counts=Counts(desired=12, running=7), busy=7), None).processes == 12


def test_failing_processes_are_not_spare():
    assert DYNAMIC.recommend(observe(counts=Counts(desired=12, running=8, failed=4), busy=8), None).processes == 13


def test_the_reason_can_be_checked_with_a_pencil():
    first = DYNAMIC.recommend(observe(5, 0.0, busy=5), None)

    assert first.reason == "5 of 5 busy, 0 idle < 5 spare: min(rate 1, 5 missing, room 45) = 1 more -> 6"
    assert PREFORK.recommend(observe(20, busy=2), None).reason == "2 of 20 busy, 18 idle > 10 spare: one less -> 19"
    assert DYNAMIC.recommend(observe(9, busy=2), None).reason == "2 of 9 busy, 7 idle, 5 to 10 spare -> 9"


def test_on_demand_adds_one_for_each_connection_that_finds_none_idle():
    assert sizes(spare("ondemand"), 2, busy=[2, 2, 4], listening=[3, 1, 0]) == [5, 5, 5]
    assert sizes(spare("ondemand"), 2, busy=[2], listening=[100], kind=web(maximum=10)) == [10]


def test_on_demand_starts_from_none_when_a_connection_waits():
    assert spare("ondemand").recommend(replace(observe(0, busy=0, listening=0), is_called=True), None).processes == 1


def test_on_demand_removes_one_a_pass_that_was_idle_for_the_timeout():
    busy = [3] * 3 + [1] * 15

    assert sizes(spare("ondemand"), 4, busy=busy, listening=[0] * 18) == [4] * 10 + [3, 3, 2, 1, 1, 1, 1, 1]


def test_on_demand_keeps_what_was_added_for_the_timeout():
    assert sizes(spare("ondemand"), 1, busy=[1] + [0] * 12, listening=[2] + [0] * 12) == [3] * 10 + [2, 1, 0]


def test_spare_adds_a_step_after_more_than_overload_passes_with_none_idle():
    assert sizes(spare("spare", step=2), 5, busy=[99] * 8) == [5, 5, 5, 7, 7, 7, 7, 9]


def test_spare_counts_down_on_a_pass_with_one_idle():
    assert sizes(spare("spare"), 5, busy=[5, 5, 5, 4, 5, 5], kind=web(minimum=5)) == [5, 5, 5, 5, 5, 6]


def test_spare_removes_one_every_overload_passes_until_one_is_idle():
    assert sizes(spare("spare"), 7, busy=[3] * 12) == [7, 7, 6, 6, 6, 5, 5, 5, 4, 4, 4, 4]
    assert sizes(spare("spare"), 7, busy=[3] * 12, kind=web(minimum=6))[-1] == 6


def test_spare_asks_again_at_the_next_pass_for_what_was_refused():
    assert sizes(spare("spare"), 5, busy=[99] * 6, follows=lambda tick: tick == 5) == [5, 5, 5, 5, 5, 6]
    assert sizes(spare("spare"), 7, busy=[3] * 5, follows=lambda tick: tick == 4) == [7, 7, 7, 7, 6]


def test_spare2_adds_the_missing_spare_by_steps():
    assert sizes(spare("spare2", minimum_spare=5, step=3), 4, busy=[4, 4, 4]) == [7, 9, 9]


def test_spare2_removes_one_after_idle_passes_with_more():
    assert sizes(spare("spare2", minimum_spare=2, idle_passes=3), 6, busy=[2, 2, 2, 2, 2, 2, 2]) == [6, 6, 5, 5, 5, 4, 4]
    assert sizes(spare("spare2", minimum_spare=2, idle_passes=3), 6, busy=[2, 2, 4, 2, 2, 2]) == [6, 6, 6, 6, 6, 5]


def test_backlog_holds_the_listen_queue_at_overload():
    assert sizes(spare("backlog", overload=3, step=2), 4, listening=[4, 9, 3, 2, 0, 0, 0, 0, 0, 0]) == [6, 8, 8, 7, 6, 5, 4, 3, 2, 1]
    assert sizes(spare("backlog"), 4, listening=[0, 0, 0], kind=web(minimum=3)) == [3, 3, 3]


def test_busyness_adds_a_step_at_the_end_of_a_busy_window():
    assert sizes(spare("busyness", step=2), 4, busy=[3] * 6) == [4, 4, 6, 6, 6, 6]  # 75 %, then 50 %, which is not above


def test_busyness_removes_one_after_the_multiplier():
    removed = sizes(spare("busyness", multiplier=2), 8, busy=[1] * 15)

    assert removed == [8] * 8 + [7] * 6 + [6]  # windows end at passes 3, 6, 9: the wait of 6 is over; 1 of 7 is 14 %


def test_busyness_learns_from_removing_too_early():
    quick = spare("busyness", multiplier=1, penalty=2)
    busy = [1] * 6 + [9] * 3 + [1] * 15

    assert sizes(quick, 5, busy=busy)[5] == 4
    assert sizes(quick, 5, busy=busy)[8] == 5
    assert sizes(quick, 5, busy=busy)[9:] == [5] * 8 + [4] * 6 + [4]  # three windows before the next, where there was one


def test_busyness_waits_longer_after_windows_between_the_percentages():
    steady = spare("busyness", multiplier=2)

    assert sizes(steady, 4, busy=[0] * 12).index(3) == 8
    assert sizes(steady, 4, busy=[0] * 3 + [1.5] * 3 + [0] * 9).index(3) == 11  # 2 of 4: one window more


def test_busyness_adds_one_in_an_emergency_at_any_pass():
    alarmed = spare("busyness", listening="listening")

    assert sizes(alarmed, 4, busy=[1] * 2, listening=[33, 34]) == [4, 5]
    assert sizes(alarmed, 4, busy=[1] * 61, listening=[1] * 61).index(5) == 59


def test_a_tick_is_one_pass_however_long_it_takes():
    slow = DYNAMIC.recommend(observe(5, 0.0, web(interval=30.0), busy=5), None)

    assert DYNAMIC.recommend(observe(6, 30.0, web(interval=30.0), busy=6), slow.memory).processes == 8


def test_no_pass_comes_before_its_time():
    first = DYNAMIC.recommend(observe(5, 0.0, web(interval=0.2), busy=5), None)
    early = DYNAMIC.recommend(observe(6, 0.6, web(interval=0.2), busy=6), first.memory)
    due = DYNAMIC.recommend(observe(6, 0.999, web(interval=0.2), busy=6), early.memory)

    assert (early.processes, early.reason) == (6, "the next pass is due 1 s after the last -> 6")
    assert (early.memory, due.processes) == (first.memory, 8)


@pytest.mark.parametrize(("size", "processes"), [(3, 4), (4, 4), (10, 10), (2, 2)])
def test_between_passes_a_size_that_somebody_else_set_stays(size, processes):
    policy = spare("dynamic", tick_seconds=60.0)
    first = policy.recommend(observe(3, 0.0, busy=3), None)
    between = policy.recommend(observe(size, 10.0, busy=2), first.memory)

    assert (first.processes, between.processes) == (4, processes)


def test_between_passes_a_metric_without_a_reading_is_missing():
    policy = spare("dynamic", tick_seconds=60.0)
    first = policy.recommend(observe(3, 0.0, busy=1), None)
    with pytest.raises(MissingReadingError, match="busy is missing: down"):
        policy.recommend(observe(3, 10.0), first.memory)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "mode dynamic needs busy; name the metric"),
        ({"mode": "backlog", "busy": "busy"}, "mode backlog needs listening"),
        ({"mode": "ondemand", "busy": "busy"}, "mode ondemand needs listening"),
        ({"busy": "busy", "minimum_spare": 5}, "minimum_spare 5 is above maximum_spare 3; lower the one or raise the other"),
        ({"mode": "busyness", "busy": "busy", "busyness_below": 60}, "busyness_below 60 is above busyness_above 50"),
    ],
)
def test_a_mode_without_its_metric_or_with_crossed_bounds_is_refused(fields, said):
    with pytest.raises(ValueError, match=said):
        Spare(**fields)


def test_a_metric_that_the_mode_does_not_use_is_told_and_not_read():
    policy = spare("backlog", busy="busy")

    assert policy.warnings() == ("mode backlog does not use busy; remove it",)
    assert policy.recommend(observe(listening=3), None).processes == 5
    assert spare("busyness", listening="listening").warnings() == ()


@pytest.mark.parametrize(
    ("mode", "fields", "unused"),
    [
        ("ondemand", {"minimum_spare": 3}, "minimum_spare"),
        ("dynamic", {"idle_timeout_seconds": 5.0}, "idle_timeout"),
        ("spare2", {"maximum_spare": 3}, "maximum_spare"),
        ("spare", {"busyness_below": 3}, "busyness_below"),
    ],
)
def test_a_field_that_the_mode_does_not_use_is_told(mode, fields, unused):
    assert spare(mode, **fields).warnings() == (f"mode {mode} does not use {unused}; remove it",)
    assert spare(mode, tick_seconds=2.0).warnings() == ()


def test_a_metric_without_a_reading_is_missing():
    with pytest.raises(MissingReadingError, match="busy is missing: down"):
        DYNAMIC.recommend(observe(), None)


def test_its_metrics_are_found():
    assert metrics_of(spare("ondemand")) == ("busy", "listening")


MODES = ["dynamic", "ondemand", "prefork", "spare", "spare2", "backlog", "busyness"]


@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 90), st.booleans()), max_size=40), st.integers(0, 50))
@pytest.mark.parametrize("mode", MODES)
def test_any_sequence_stays_at_or_below_the_maximum(mode, sequence, start):
    size, memory, policy = start, None, spare(mode)
    for tick, (busy, listening, follows) in enumerate(sequence):
        answer = policy.recommend(observe(size, float(tick), busy=busy, listening=listening), memory)
        assert 0 <= answer.processes <= 50
        assert json.loads(json.dumps(answer.memory)) == answer.memory
        size, memory = answer.processes if follows else size, answer.memory


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("value", [5e-324, 1e308])
def test_absurd_readings_get_an_answer(mode, value):
    assert spare(mode).recommend(observe(busy=value, listening=value), None).reason


@pytest.mark.parametrize("mode", MODES[1:])
def test_another_mode_begins_anew(mode):
    observation, before = observe(busy=4, listening=4), DYNAMIC.recommend(observe(busy=5), None).memory
    changed = spare(mode, minimum_spare=5, maximum_spare=10)

    assert changed.recommend(observation, before) == changed.recommend(observation, None)


@pytest.mark.shared
@pytest.mark.parametrize(("index", "mode"), [(0, "dynamic"), (1, "dynamic"), (2, "prefork")])
def test_the_sizes_are_those_derived_from_the_sources(shared, index, mode):
    case = json.loads((shared / "conformance" / "derived_from_source.json").read_text())["cases"][index]
    given_, expected = case["input"], case["expect"]["sizes"]
    policy = spare(mode, minimum_spare=given_["min_spare"], maximum_spare=given_["max_spare"])
    start = given_.get("start", given_.get("active", 0) + given_.get("idle", 0))

    assert sizes(policy, start, busy=given_["busy_per_tick"], kind=web(maximum=given_["max"])) == expected


def test_busyness_waits_for_connections_on_every_one_of_its_passes():
    alarmed = spare("busyness", listening="listening")

    assert sizes(alarmed, 4, busy=[1] * 62, listening=[1, 0] + [1] * 60).index(5) == 61


def test_busyness_forgets_what_it_learned_window_by_window():
    quick = spare("busyness", multiplier=1, penalty=2)
    seen = sizes(quick, 5, busy=[1] * 6 + [9] * 3 + [0] * 30)
    fewer = [tick for tick in range(1, len(seen)) if seen[tick] < seen[tick - 1]]

    assert fewer == [5, 17, 26, 32, 35]  # three windows after one another, then two, then one as at first


@pytest.mark.parametrize(
    ("counts", "total"),
    [
        (Counts(4, running=6), 4),  # two have yet to leave
        (Counts(5, running=2, starting=1), 5),
        (Counts(5, running=3, failed=1, unknown=1), 3),
    ],
)
def test_processes_that_are_there_or_coming_are_counted(counts, total):
    assert see(observe(5, 0.0, counts=counts), None, None).total == total
