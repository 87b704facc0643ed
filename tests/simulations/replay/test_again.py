"""Deciding again on what a record observed, by its own configuration or by another one."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from autoscaler.config import ConfigurationError
from autoscaler.decide.memory import Memory, SizeChange
from autoscaler.decide.pipeline import decide
from autoscaler.record import RecordError
from autoscaler_simulations.replay.configuration import load_file

SIMPLE = """\
interval: 5s
backend: dry_run
metrics: {jobs: {file: {path: jobs}}}
formation:
  worker: {maximum: 20, policies: [{target: {metric: jobs, per_process: 20}}]}
"""


@pytest.fixture
def settings(tmp_path):
    def load(text):
        (tmp_path / "other.yaml").write_text(text)
        return load_file(tmp_path / "other.yaml", {})

    return load


@pytest.fixture
def simple(make_world, tmp_path):
    """Write the record of 40 ticks of one type."""

    def write(seed=1, text=SIMPLE, now=12345.5, *, is_pausing=True):
        world = make_world(seed, text, now)
        world.is_pausing = is_pausing
        world.controller.tell_start()
        for _ in range(40):
            world.step()
        world.writer.close()
        return Path(tmp_path / "record").read_text()

    return write


def changed(text, **changes):
    """Change keys of the start line of a record."""
    first, rest = text.split("\n", 1)
    return json.dumps({**json.loads(first), **changes}) + "\n" + rest


@pytest.mark.parametrize("seed", range(5))
def test_own_configuration_decides_as_recorded_to_the_byte(write_record, replay, seed):
    first, second = write_record(seed)
    for text in (first, second, first + second):
        comparisons, _ = replay(text)

        assert len(comparisons) > 100
        assert [one.written.text for one in comparisons if not one.is_same_line()] == []


def test_records_of_the_rough_world_hold_what_makes_a_replay_hard(write_record):
    text = "".join("".join(write_record(seed)) for seed in range(3))

    rules = ("formation_cap", "preempt", "memory", "pause", "singleton", "crash_loop", "rate_limit", "stabilization")
    assert [rule for rule in rules if f'"rule": "{rule}"' not in text and f'"event": "{rule}"' not in text] == []
    assert all(f'"event": "{event}"' in text for event in ("pause", "resume", "reload", "startup", "called", "room"))
    assert '"moved": ["' in text
    assert "by somebody else" in text


def test_record_from_the_middle_needs_the_memories_it_begins_with(write_record, replay):
    _, second = write_record(0)
    state = json.loads(second.split("\n", 1)[0])["state"]
    comparisons, _ = replay(changed(second, state={**state, "memories": {}}))

    assert not all(one.is_same_line() for one in comparisons)


def test_other_configuration_goes_on_where_a_record_does_in_a_new_file(write_record, replay, settings):
    first, second = write_record(1)
    (whole, _), (alone, _) = replay(first + second, settings(SIMPLE)), replay(second, settings(SIMPLE))

    assert {one.run for one in whole} == {1}
    assert [one.replayed for one in whole[-len(alone) :]] != [one.replayed for one in alone]


def test_restart_begins_without_a_past(simple, replay):
    first = simple(1)
    both = simple(2, now=90000.0)
    comparisons, replaying = replay(both)

    assert both.startswith(first)
    assert {one.run for one in comparisons} == {1, 2}
    assert all(one.is_same_line() for one in comparisons)
    assert replaying.notes == []


def test_same_configuration_named_as_another_changes_no_outcome(write_record, replay, settings):
    text = write_record(3)[0]
    without_reload = text[: text.index('{"event": "reload"')]
    document = json.loads(text.split("\n", 1)[0])["configuration"]
    same, _ = replay(without_reload, settings(json.dumps(document)))

    assert len(same) > 30
    assert all(one.is_same_outcome() for one in same)


@pytest.mark.parametrize("seed", range(4))
def test_other_configuration_decides_as_its_pipeline_does_on_the_recorded_observations(simple, replay, settings, seed):
    other = settings(SIMPLE.replace("per_process: 20", "per_process: 90"))
    comparisons, _ = replay(simple(seed, is_pausing=False), other)

    assert [one.replayed for one in comparisons] == list(run_by_hand(other.types[0], comparisons))
    assert any(not one.is_same_outcome() for one in comparisons)


def run_by_hand(one, comparisons):
    """Decide for one type alone; what was asked for is what the record says."""
    memory = Memory()
    for comparison in comparisons:
        recorded, current = comparison.recorded, comparison.recorded.counts.desired
        decision, memory = decide(one, replace(comparison.replayed.observation, ready_history=()), memory)
        memory = replace(memory, asked=SizeChange(recorded.now, current, recorded.target) if recorded.target != current else None)
        yield decision


def test_size_that_the_record_set_is_nobody_elses(simple, replay, settings):
    lower = settings(SIMPLE.replace("per_process: 20", "per_process: 200"))
    text = simple(5)
    comparisons, _ = replay(text, lower)

    foreign = [one for one in comparisons if "by somebody else" in one.replayed.reason]
    assert [one for one in foreign if "by somebody else" not in one.recorded.reason] == []


def test_metric_without_a_reading_in_the_record_is_missing(simple, replay, settings):
    other = settings(SIMPLE.replace("{jobs: ", "{depth: {file: {path: x}}, jobs: ").replace("metric: jobs", "metric: depth"))
    comparisons, _ = replay(simple(), other)

    assert comparisons[0].replayed.answers[0].answer.reason == "depth is missing: the record has no reading of it"


def test_metric_that_another_type_read_on_the_same_tick_is_known(write_record, replay, settings):
    text, _ = write_record(0)
    document = json.loads(text.split("\n", 1)[0])["configuration"]
    document["formation"]["web"]["policies"] = [{"target": {"metric": "jobs", "per_process": 9}}]
    comparisons, _ = replay(text, settings(json.dumps(document)))

    assert any("jobs" in one.replayed.observation.readings for one in comparisons if one.recorded.process_type == "web")


def test_types_of_only_one_side_are_left_out_and_named(simple, replay, settings):
    other = settings("total: 9\n" + SIMPLE.replace("worker:", "mailer:"))
    comparisons, replaying = replay(simple(), other)

    assert all(one.is_left_out for one in comparisons)
    assert replaying.notes == ["the record never observed mailer; with total, no type grows beyond its minimum until every type was seen"]


def test_tick_with_a_cut_line_is_left_out_where_its_types_share_a_total(write_record, replay):
    text, _ = write_record(0)
    last = max(index for index, line in enumerate(text.splitlines()) if '"process_type": "clock"' in line and '"decision"' in line)
    lines = text.splitlines(keepends=True)[: last + 1]
    comparisons, replaying = replay("".join(lines)[:-40])

    assert all(one.is_same_line() for one in comparisons)
    assert any("they share one total" in note for note in replaying.notes)
    assert any("the line is cut off" in note for note in replaying.notes)


def test_pause_of_the_recorded_configuration_does_not_hold_another(simple, replay, settings):
    text = simple(text=SIMPLE.replace("maximum: 20", "maximum: 20, pause: quiet"))
    comparisons, _ = replay(text, settings(SIMPLE))

    assert all("quiet" in one.recorded.reason for one in comparisons if one.recorded.action == "hold" and "paused" in one.recorded.reason)
    assert any(one.replayed.action == "scale_out" for one in comparisons)
    assert not any("quiet" in one.replayed.reason for one in comparisons if "x" not in one.recorded.reason)


def test_recorded_configuration_that_cannot_be_loaded_is_no_hindrance_to_another(simple, replay, settings):
    text = changed(simple(), configuration={"formation": {"worker": {"policies": [{"vanished": {}}]}}})
    comparisons, replaying = replay(text, settings(SIMPLE))

    assert len(comparisons) > 20
    assert "vanished" in replaying.notes[0]


def test_record_without_a_configuration_asks_for_one(simple, replay):
    with pytest.raises(ConfigurationError, match="name one with -c"):
        replay(changed(simple(), configuration=None))


def test_record_without_its_start_line_asks_for_a_configuration(simple, replay, settings):
    text = "".join(line for line in simple().splitlines(keepends=True) if '"decision"' in line)
    with pytest.raises(RecordError, match=r"before the first start line.*-c"):
        replay(text)

    assert len(replay(text, settings(SIMPLE))[0]) > 20


def test_memory_of_another_shape_is_named_with_its_key(simple, replay):
    state = {"memories": {"worker": {"policies": {}, "desired": "3"}}}
    with pytest.raises(RecordError, match=r"memories\.worker: memory\.lowest: Field required"):
        replay(changed(simple(), state=state))


def test_reload_line_of_another_shape_is_named(simple, replay):
    text = simple()
    configuration = json.loads(text.split("\n", 1)[0])["configuration"]
    line = json.dumps({"event": "reload", "ok": True, "configuration": configuration, "moved": "worker"})
    with pytest.raises(RecordError, match="moved: 'worker' is no list"):
        replay(text + line + "\n")


def test_reload_that_was_refused_changes_nothing(simple, replay):
    text = simple()
    head, rest = text.split("\n", 1)
    comparisons, _ = replay(head + '\n{"event": "reload", "ok": false, "error": "no such file"}\n{"event": "unheard_of"}\n' + rest)

    assert all(one.is_same_line() for one in comparisons)


def test_type_that_the_recorded_configuration_lacks_is_a_difference(simple, replay):
    text = simple()
    configuration = json.loads(text.split("\n", 1)[0])["configuration"]
    configuration["formation"] = {"mailer": configuration["formation"]["worker"]}
    comparisons, _ = replay(changed(text, configuration=configuration))

    assert {one.trouble for one in comparisons} == {"the recorded configuration has no such process type"}


def test_room_for_processes_of_another_size_is_counted_anew(simple, replay, settings):
    sized = SIMPLE.replace("maximum: 20", "maximum: 20, memory: 2M")
    text = simple(text=sized)
    comparisons, _ = replay(text, settings(SIMPLE.replace("maximum: 20", "maximum: 20, memory: 1M")))

    rooms = {one.replayed.observation.room for one in comparisons}
    assert {0, 4, None} <= rooms
    assert 2 not in rooms
