"""One suite that every installed policy passes, ours and third-party ones: an answer for any readings, pure, with a reason.

A policy of a package that is installed beside the autoscaler is found by its entry point and made from the markers of its fields; where
that cannot guess right, ``POLICY_EXAMPLES`` names a JSON file of name to configuration.
"""

import copy
import json
import os
import pickle
from dataclasses import fields, is_dataclass
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.config.loading import load_text
from autoscaler.decide.asking import ask
from autoscaler.model import Abstain, Counts, Missing, Observation, ProcessType, Reading, Recommendation
from tests.contracts.policy_examples import configuration_of

EXAMPLES = {
    "backlog": {"waiting": "m0", "busy": "m1", "job_takes": "400ms"},
    "concurrency": {"metric": "m0", "per_process": 10},
    "expression": {"processes": "ceil(m0 / 20) + m1", "readings": ["m0", "m1"]},
    "fixed": {"processes": 4},
    "queueing": {"arrival": "m0", "service_takes": "200ms", "wait_within": "500ms"},
    "spare": {"busy": "m0"},
    "step": {"metric": "m0", "bands": [{"above": 0.5, "change": 1}, {"below": 0.1, "change": "-10%"}], "for": "30s"},
    "target": {"metric": "m0", "per_process": 50},
}
OTHERS = json.loads(Path(os.environ["POLICY_EXAMPLES"]).read_text()) if "POLICY_EXAMPLES" in os.environ else {}
INSTALLED = {entry.name: entry for entry in entry_points(group="autoscaler.policies")}
WORKER = ProcessType(name="worker", minimum=0, maximum=50, slots=2)


def built(name):
    """Make the policy through the configuration, as its users do."""
    said = {**EXAMPLES, **OTHERS}.get(name) or configuration_of(INSTALLED[name].load())
    metrics = {metric: {"file": {"path": "number"}} for metric in ("m0", "m1")}
    worker = {"minimum": 1, "maximum": 50, "policies": [{name: said}]}
    text = json.dumps({"backend": {"dry_run": {}}, "metrics": metrics, "formation": {"worker": worker}})
    return load_text(text, "autoscaler.yaml", {}).types[0].policies[0]


BUILT = {name: built(name) for name in sorted(INSTALLED)}


def observations(value=None):
    number = st.floats() if value is None else value
    counts = st.builds(Counts, *[st.integers(0, 100)] * 6)
    return st.tuples(number, number, counts, st.booleans(), st.floats(0.0, 1e6)).map(
        lambda drawn: Observation(
            100.0 + drawn[4],
            1e9,
            WORKER,
            drawn[2],
            {metric: Reading(metric, drawn[index], 99.0 + drawn[4]) for index, metric in enumerate(("m0", "m1")) if drawn[3]},
            {} if drawn[3] else {"m0": "down", "m1": "down"},
        )
    )


@pytest.fixture(params=sorted(BUILT))
def policy(request):
    return BUILT[request.param]


def test_every_built_in_policy_has_an_example():
    ours = {name for name, entry in INSTALLED.items() if entry.value.startswith("autoscaler_policies")}

    assert ours == set(EXAMPLES)


def test_it_is_a_frozen_dataclass_that_names_its_metrics(policy):
    assert is_dataclass(policy.policy)
    assert type(policy.policy).__dataclass_params__.frozen
    assert set(policy.metrics) <= {"m0", "m1"}
    assert all(field.init for field in fields(policy.policy))


def test_it_can_be_compared_copied_and_sent_to_another_process(policy):
    assert copy.deepcopy(policy) == pickle.loads(pickle.dumps(policy)) == policy  # noqa: S301 - our own bytes


@pytest.mark.parametrize("name", sorted(BUILT))
@given(seen=st.lists(observations(), min_size=1, max_size=4))
def test_any_readings_get_an_answer_with_a_reason(name, seen):
    memory = None
    for observation in seen:
        answer = ask(BUILT[name], observation, memory)
        memory = answer.memory

        assert isinstance(answer, Recommendation | Abstain | Missing)
        assert answer.reason
        assert json.loads(json.dumps(memory, allow_nan=False)) == memory


@pytest.mark.parametrize("name", sorted(BUILT))
@given(observation=observations(st.floats(0.0, 1e6)))
def test_the_same_observation_gives_the_same_answer(name, observation):
    first = ask(BUILT[name], observation, None)
    again = ask(BUILT[name], copy.deepcopy(observation), None)

    assert first == again
    assert ask(BUILT[name], observation, copy.deepcopy(first.memory)) == ask(BUILT[name], observation, first.memory)


@pytest.mark.parametrize("name", sorted(BUILT))
@given(observation=observations(st.floats(0.0, 1e6)))
def test_what_it_is_given_stays_as_it_was(name, observation):
    memory = ask(BUILT[name], observation, None).memory
    before = copy.deepcopy((observation, memory))
    ask(BUILT[name], observation, memory)

    assert (observation, memory) == before


def test_missing_readings_are_missing_and_not_zero(policy):
    observation = Observation(0.0, 0.0, WORKER, Counts(3, 3), missing={"m0": "down", "m1": "down"})
    answer = ask(policy, observation, None)

    assert isinstance(answer, Missing) or not policy.metrics
