"""One suite that every installed policy passes: an answer for any readings, pure, with a reason."""

import copy
import json
from dataclasses import fields, is_dataclass
from importlib.metadata import entry_points

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.decide.pipeline import ask
from autoscaler.decide.settings import NamedPolicy
from autoscaler.model import Abstain, Counts, Missing, Observation, ProcessType, Reading, Recommendation

EXAMPLES = {
    "backlog": {"waiting": "m0", "busy": "m1", "job_takes_seconds": 0.4},
    "target": {"metric": "m0", "per_process": 50.0},
}
WORKER = ProcessType(name="worker", minimum=0, maximum=50, slots=2)


def built(name):
    (entry,) = entry_points(group="autoscaler.policies", name=name)
    return NamedPolicy(name, entry.load()(**EXAMPLES[name]))


def observations():
    value = st.floats(allow_nan=False, allow_infinity=False)
    counts = st.builds(Counts, *[st.integers(0, 100)] * 6)
    return st.tuples(value, value, counts, st.booleans()).map(
        lambda drawn: Observation(
            100.0,
            1e9,
            WORKER,
            drawn[2],
            {metric: Reading(metric, drawn[index], 99.0) for index, metric in enumerate(("m0", "m1")) if drawn[3]},
            {} if drawn[3] else {"m0": "down", "m1": "down"},
        )
    )


@pytest.fixture(params=sorted(entry.name for entry in entry_points(group="autoscaler.policies") if entry.name in EXAMPLES))
def policy(request):
    return built(request.param)


def test_every_built_in_policy_has_an_example():
    ours = {entry.name for entry in entry_points(group="autoscaler.policies") if entry.value.startswith("autoscaler_policies")}

    assert ours == set(EXAMPLES)


def test_it_is_a_frozen_dataclass_that_names_its_metrics(policy):
    assert is_dataclass(policy.policy)
    assert type(policy.policy).__dataclass_params__.frozen
    assert set(policy.metrics) <= {"m0", "m1"}
    assert policy.metrics
    assert all(field.init for field in fields(policy.policy))


@given(observation=observations())
@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_any_readings_get_an_answer_with_a_reason(name, observation):
    answer = ask(built(name), observation, None)

    assert isinstance(answer, Recommendation | Abstain | Missing)
    assert answer.reason
    assert json.loads(json.dumps(answer.memory)) == answer.memory


@given(observation=observations())
@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_same_observation_gives_the_same_answer(name, observation):
    assert ask(built(name), observation, None) == ask(built(name), copy.deepcopy(observation), None)


def test_missing_readings_are_missing_and_not_zero(policy):
    observation = Observation(0.0, 0.0, WORKER, Counts(3, 3), missing={"m0": "down", "m1": "down"})

    assert isinstance(ask(policy, observation, None), Missing)
