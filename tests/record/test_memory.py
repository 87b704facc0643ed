"""Reading back what the pipeline remembers."""

import json
from dataclasses import asdict

import pytest

from autoscaler.decide.memory import Futility, Memory, SizeChange, Trial
from autoscaler.decide.window import Sized
from autoscaler.model import ReadyCount
from autoscaler.record import RecordError, memories_of, memory_of

MEMORY = Memory(
    policies={"step": [1.5, {"since": None}]},
    lowest=(Sized(1.25, 2),),
    highest=(Sized(1.25, 2), Sized(2.0, 1)),
    changes=(SizeChange(1.25, 1, 2),),
    asked=SizeChange(2.0, 2, 3),
    desired=2,
    last_tick=2.0,
    ready=(ReadyCount(0.5, 1),),
    set_by_others="set from 1 to 2 by somebody else",
    futility=Futility(trials=(Trial(1, 2, 3.5, 40.0, ready_at=1.5), Trial(2, 3, 3.5, 41.0)), in_vain=1, rate=3.75, probed_at=1.0),
    accepted=SizeChange(1.25, 1, 2),
    occupied=3,
)


def through_json(memory):
    return json.loads(json.dumps(asdict(memory)))


@pytest.mark.parametrize("memory", [MEMORY, Memory()])
def test_memory_comes_back_as_it_was_written(memory):
    assert memory_of(through_json(memory)) == memory


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"desired": "3"}, r"memory\.desired: Input should be a valid integer"),
        ({"last_tick": True}, r"memory\.last_tick: Input should be a valid number"),
        ({"unheard_of": 1}, r"memory\.unheard_of: Extra inputs"),
        ({"lowest": [{"now": 1.0}]}, r"memory\.lowest\.0\.processes: Field required"),
        ({"futility": {"trials": [3]}}, r"memory\.futility\.trials\.0: "),
    ],
)
def test_value_of_another_shape_is_named_with_its_key(change, cause):
    with pytest.raises(RecordError, match=cause):
        memory_of({**through_json(MEMORY), **change})


def test_key_that_is_missing_is_named():
    with pytest.raises(RecordError, match=r"memory\.policies: Field required"):
        memory_of({})


def test_state_holds_the_memory_of_each_type():
    assert memories_of({"memories": {"web": through_json(MEMORY)}}) == {"web": MEMORY}


@pytest.mark.parametrize("state", [None, {}, {"memories": {}}])
def test_state_without_memories_is_a_beginning(state):
    assert memories_of(state) == {}


@pytest.mark.parametrize(
    ("memories", "cause"), [([], r"memories: \[\] is no object"), ({"web": 3}, r"memories\.web: memory: Input should be an object")]
)
def test_memories_of_another_shape_are_named(memories, cause):
    with pytest.raises(RecordError, match=cause):
        memories_of({"memories": memories})
