"""Dask's adaptive cluster: its target, and how often a process must be spared before it is closed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.model import Counts, Observation, ProcessType, Reading
from autoscaler_simulations.peers.dask_adaptive import DaskAdaptive


def observe(size, slots=1, **values):
    worker = ProcessType(name="worker", minimum=0, maximum=99, slots=slots)
    return Observation(0.0, 0.0, worker, Counts(size, size), {name: Reading(name, float(value), 0.0) for name, value in values.items()})


def sizes(policy, targets, size=0):
    memory, seen = None, []
    for target in targets:
        recommendation = policy.recommend(observe(size, target=target), memory)
        size, memory = recommendation.processes, json.loads(json.dumps(recommendation.memory))
        seen.append(size)
    return seen


READ = DaskAdaptive(target="target", maximum=10)


@pytest.mark.parametrize(
    ("targets", "wanted"),
    [
        ([5, 2, 2, 2, 2], [5, 5, 5, 2, 2]),
        ([5, 2, 2, 5, 2, 2], [5, 5, 5, 5, 5, 5]),  # an equal reading forgets the counts
        ([6, 4, 4, 2, 2, 2], [6, 6, 6, 4, 4, 2]),  # each process has a count of its own
        ([6, 2, 4, 2, 2, 2], [6, 6, 6, 4, 4, 2]),  # a process that was needed in between begins anew
        ([20, 0], [10, 10]),
    ],
)
def test_a_process_is_closed_after_three_readings_without_it(targets, wanted):
    assert sizes(READ, targets) == wanted


@pytest.mark.parametrize(
    ("occupancy", "tasks", "slots", "target"),
    [(41, 100, 1, 9), (40, 100, 1, 8), (40, 3, 1, 3), (40, 100, 3, 3), (0, 0, 1, 0)],
)
def test_the_target_does_the_work_in_time_and_needs_no_more_cores_than_tasks(occupancy, tasks, slots, target):
    policy = DaskAdaptive(occupancy="occupancy", tasks="tasks", maximum=10)

    assert policy.recommend(observe(0, slots, occupancy=occupancy, tasks=tasks), None).processes == target


@pytest.mark.parametrize("options", [{}, {"target": "target", "occupancy": "occupancy"}])
def test_the_target_is_either_read_or_computed(options):
    with pytest.raises(ValueError, match="either target or occupancy"):
        DaskAdaptive(maximum=10, **options)


@given(st.lists(st.integers(-2, 12), max_size=20))
def test_a_cluster_stays_within_its_limits(targets):
    policy = DaskAdaptive(target="target", minimum=1, maximum=8, wait_count=2)

    assert all(1 <= size <= 8 for size in sizes(policy, targets))
