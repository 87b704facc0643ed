"""What a step policy remembers of many readings: little, and nothing that makes a change too early."""

import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.policies.test_step import LADDER, last, observe, steps


def test_a_long_calm_is_remembered_in_one_line():
    calm = [observe(0.3, float(now)) for now in range(600)]

    assert last(steps(for_seconds=600.0), *calm).memory["history"] == [[0.0, 599.0, 0.3, 600]]


def size_of(value):
    """Count the bytes of a memory read back from JSON."""
    inner = [*value.values(), *value] if isinstance(value, dict) else value if isinstance(value, list) else []
    return (0 if isinstance(value, int) and 0 <= value <= 256 else sys.getsizeof(value)) + sum(map(size_of, inner))


@pytest.mark.parametrize("options", [{"for_seconds": 300.0}, {"for_seconds": 300.0, "readings": 290}, {"readings": 300}])
@pytest.mark.parametrize("values", [[0.7, 0.3], [0.7, 0.3, 0.05], [0.7]])
def test_readings_of_five_minutes_stay_small(options, values):
    course = [observe(values[now % len(values)] + now / 1e6, now + 0.123456) for now in range(700)]

    assert size_of(last(steps(**options), *course).memory) < 15_000


@pytest.mark.parametrize("options", [{"for_seconds": 200.0}, {"for_seconds": 200.0, "readings": 90}, {"readings": 180}])
@settings(max_examples=10, deadline=None)
@given(st.data())
def test_no_change_is_made_earlier_than_if_every_reading_were_kept(options, data):
    odd = data.draw(st.dictionaries(st.integers(0, 300), st.sampled_from([45, 65, 80]), max_size=6))
    readings = [(float(now), odd.get(now, 75)) for now in range(300)]
    policy, memory = steps(bands=LADDER, reading_is="total", **options), None
    for now, value in readings:
        answer = policy.recommend(observe(value, now, size=10), memory)
        memory = json.loads(json.dumps(answer.memory))

        assert 10 <= answer.processes <= kept_in_full(policy, [reading for reading in readings if reading[0] <= now])


def kept_in_full(policy, readings):
    """Return what all readings call for at 10 processes, none of them fewer."""
    start = readings[-1][0] - (policy.for_seconds or 1e9)
    values = [value for now, value in readings if now >= start]
    if policy.readings is None:
        calls = [policy.calls_for(value, 10) for value in values]
        return min(calls) if readings[0][0] <= start else 10
    calls = sorted(policy.calls_for(value, 10) for value in (values if policy.for_seconds else values[-policy.readings :]))
    return calls[-policy.readings] if len(calls) >= policy.readings else 10


@pytest.mark.parametrize(
    ("options", "latest"), [({"for_seconds": 200.0}, 204), ({"for_seconds": 200.0, "readings": 190}, 199), ({"readings": 180}, 187)]
)
def test_a_change_comes_at_most_a_sixtieth_later(options, latest):
    course = [observe(0.7 if now else 0.3, float(now)) for now in range(latest + 1)]

    assert last(steps(**options), *course).processes == 5


def test_a_stretch_does_not_bridge_a_gap():
    gap = [observe(0.7, 0.0), observe(0.7, 600.0)]

    assert last(steps(for_seconds=60.0), *gap).reason == "load 0.7 above 0.5, known for 0 s of 60 s: 4 stay"
    assert last(steps(for_seconds=60.0), *gap, *(observe(0.7, now) for now in (630.0, 660.0))).processes == 5
    assert last(steps(for_seconds=60.0, readings=2), *gap).reason.startswith("load 0.7, 1 of 1 readings in 60 s call for more")


def test_readings_that_are_too_old_are_counted_no_longer():
    policy = steps(for_seconds=60.0, readings=2)
    course = [observe(value, now) for now, value in [(0.0, 0.7), (1.0, 0.7), (2.0, 0.3), (3.0, 0.3), (30.0, 0.7), (62.5, 0.3), (90.5, 0.05)]]

    assert last(policy, *course[:6]).memory["counted"]["totals"] == [1, 2]
    assert last(policy, *course).memory["counted"]["totals"] == [0, 1, 1]
