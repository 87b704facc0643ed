"""Keys that bind the process types of a formation together, or to their machine."""

import pytest

from autoscaler.decide.settings import FormationCap


def test_total_caps_the_formation(load):
    settings = load("total: 20\npreempt: true\nformation: {web: {maximum: 8, priority: 10, weight: 2.5}}")

    assert settings.cap == FormationCap(20, preempt=True)
    assert (settings.types[0].priority, settings.types[0].weight) == (10, 2.5)


def test_formation_without_a_total_has_no_cap(load):
    assert load("formation: {web: {maximum: 8}}").cap is None


def test_total_below_the_minimums_is_refused(mistakes):
    assert mistakes("total: 3\nformation: {web: {minimum: 2, maximum: 8}, worker: {minimum: 2, maximum: 8}}") == [
        "autoscaler.yaml:1:8: total: 3 is below the sum of all minimums 4; raise it, or lower a minimum"
    ]


def test_preempt_needs_a_total(mistakes):
    (line,) = mistakes("preempt: true\nformation: {web: {maximum: 8}}")

    assert line.startswith("autoscaler.yaml:1:1: preempt: has no effect without total")


def test_priority_without_a_total_is_warned_of(load):
    (warning,) = load("formation: {web: {maximum: 8, priority: 3}}").warnings

    assert "formation.web.priority: has no effect without total" in warning


def test_singleton_runs_once_without_a_maximum(load):
    process_type = load("formation: {clock: {singleton: true}}").types[0].process_type

    assert (process_type.is_singleton, process_type.minimum, process_type.maximum) == (True, 1, 1)


def test_singleton_with_a_higher_maximum_is_refused(type_mistakes):
    assert type_mistakes("singleton: true, maximum: 2") == [
        "formation.web.singleton: a singleton never runs twice, and maximum is 2; make it 1, or remove singleton"
    ]


@pytest.mark.parametrize(("said", "size"), [("512M", 512 * 1024**2), ("2G", 2 * 1024**3), ("1.5G", 1536 * 1024**2), ("64KiB", 65536)])
def test_memory_is_read_in_powers_of_1024(load, said, size):
    assert load(f"formation: {{web: {{maximum: 8, memory: {said}}}}}").types[0].process_type.memory_bytes == size


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("512", "512 has no unit; write a size such as 512M or 2G"),
        ("lots", "'lots' is not a size; write one such as 512M or 2G"),
        ("0M", "'0M' is not a size; write one such as 512M or 2G"),
        ("[1G]", "this is a list, not a size; write 512M or 2G"),
    ],
)
def test_memory_without_a_size_is_refused(type_mistakes, said, sentence):
    assert type_mistakes(f"maximum: 4, memory: {said}") == [f"formation.web.memory: {sentence}"]


def test_futility_is_warned_of_or_stopped(load):
    types = load("formation: {web: {maximum: 8}, worker: {maximum: 8, futility: stop}}").types

    assert [one.futility for one in types] == ["warn", "stop"]


def test_window_may_be_the_way_out_of_zero(load):
    text = "formation: {night: {minimum: 0, maximum: 4, schedule: {windows: [{cron: '0 1 * * *', for: 1h, processes: 4}]}}}"

    assert load(text).types[0].process_type.minimum == 0


_ONE = "metrics: {q: {constant: {}}, own: {of_processes: {process_type: web}}}\n"


@pytest.mark.parametrize(
    ("keys", "is_refused"),
    [
        ("policies: [{wish: {metric: q}}]", False),
        ("policies: [{wish: {metric: q, other: own}}]", True),  # missing at zero, so that it holds
        ("policies: [{wish: {metric: q}}, {wish: {metric: own}}]", False),
        ("combine: min, policies: [{wish: {metric: q}}, {wish: {metric: own}}]", True),
        ("combine: first, policies: [{wish: {metric: own}}, {wish: {metric: q}}]", True),
        ("combine: first, policies: [{wish: {metric: q}}, {wish: {metric: own}}]", False),
        ("policies: [{wish: {metric: own}, when_missing: {at_least: 1}}]", False),
        ("policies: [{wish: {metric: own}, when_missing: {at_most: 1}}]", True),
        ("scale_out: {select: disabled}, policies: [{wish: {metric: q}}]", True),
        ("policies: []", True),
        ("schedule: {windows: [{cron: '0 1 * * *', for: 1h, minimum: 2}]}", False),
    ],
)
def test_type_that_could_never_leave_zero_is_refused(load, mistakes, keys, is_refused):
    text = f"{_ONE}formation: {{web: {{minimum: 0, maximum: 4, {keys}}}}}"
    if is_refused:
        assert any("formation.web.minimum: 0 has no way back: " in line for line in mistakes(text))
    else:
        assert load(text).types[0].process_type.minimum == 0


def test_preemption_between_equals_is_warned_of(load):
    (warning,) = load("total: 9\npreempt: true\nformation: {web: {maximum: 8}, worker: {maximum: 8}}").warnings

    assert "preempt: all types have the same priority" in warning


def test_total_below_what_windows_demand_is_warned_of(load):
    window = "schedule: {windows: [{cron: '0 8 * * *', for: 1h, minimum: 6}]}"
    (warning,) = load(f"total: 5\nformation: {{web: {{maximum: 8, {window}}}}}").warnings

    assert "total: 5 is below the sum of all minimums 6 while the windows" in warning


def test_singleton_keeps_to_one_whatever_the_defaults_say(load):
    process_type = load("defaults: {minimum: 2, maximum: 4}\nformation: {clock: {singleton: true}}").types[0].process_type

    assert (process_type.minimum, process_type.maximum) == (1, 1)


def test_mistake_in_a_policy_is_told_alone(mistakes):
    assert len(mistakes("formation: {web: {minimum: 0, maximum: 4, policies: [{wish: {metrc: q}}]}}")) == 2  # unknown key, missing key
