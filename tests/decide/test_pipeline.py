"""The pipeline as a whole; its laws are in tests/laws."""

from dataclasses import replace

import pytest

from autoscaler.decide.asking import PolicyError, ask
from autoscaler.decide.memory import Futility, Memory, SizeChange, forget_sizes
from autoscaler.decide.pipeline import decide
from autoscaler.decide.settings import DirectionLimits, NamedPolicy, Pause, TypeSettings
from autoscaler.model import Abstain, Counts, Missing, Observation, ProcessType, ReadyCount, Recommendation


class Scripted:
    def __init__(self, answer):
        self.answer = answer

    def recommend(self, _observation, _memory):
        return self.answer


def observation():
    return Observation(0.0, 0.0, ProcessType(name="worker", minimum=1, maximum=9), Counts(3, 3), missing={"queue": "down"})


def test_a_reading_that_is_not_there_makes_the_policy_missing():
    class Asking:
        def recommend(self, observation, _memory):
            return Recommendation(int(observation.value("queue")), "")

    assert ask(NamedPolicy("asking", Asking()), observation(), {"kept": 1}) == Missing("queue", "down", {"kept": 1})


@pytest.mark.parametrize("wish", [2.5, "3", None, True])
def test_a_recommendation_must_be_a_whole_number(wish):
    with pytest.raises(PolicyError, match="no whole number"):
        ask(NamedPolicy("odd", Scripted(Recommendation(wish, ""))), observation(), None)


@pytest.mark.parametrize("answer", [None, 3, Recommendation(3, None), Abstain(7)])
def test_an_answer_must_be_one_of_three_with_a_reason(answer):
    with pytest.raises(PolicyError, match="no Recommendation, Abstain or Missing with a reason"):
        ask(NamedPolicy("odd", Scripted(answer)), observation(), None)


@pytest.mark.parametrize(("wish", "kept"), [(-3, 0), (10**400, 2**31 - 1)])
def test_a_recommendation_out_of_all_bounds_is_cut(wish, kept):
    assert ask(NamedPolicy("odd", Scripted(Recommendation(wish, ""))), observation(), None).processes == kept


def test_a_policy_gets_its_own_memory_back():
    class Counting:
        def recommend(self, _observation, memory):
            return Recommendation((memory or 0) + 1, "", (memory or 0) + 1)

    settings = TypeSettings(process_type=observation().process_type, policies=(NamedPolicy("counting", Counting()),), scale_out=DirectionLimits())
    _, memory = decide(settings, observation(), Memory())
    decision, memory = decide(settings, observation(), memory)

    assert decision.answers[0].answer.processes == 2
    assert memory.policies == {"counting": 2}


def test_a_configured_pause_holds_without_an_operator():
    settings = TypeSettings(process_type=observation().process_type, pause=Pause(scale_in=True, scale_out=True))

    assert decide(settings, observation(), Memory())[0].target == 3


def test_sizes_of_another_backend_tell_nothing_of_the_past():
    settings = TypeSettings(process_type=observation().process_type, policies=(NamedPolicy("odd", Scripted(Recommendation(3, "", 7))),))
    _, memory = decide(settings, observation(), Memory())
    moved = replace(observation(), now=5.0, counts=Counts(0))
    decision, memory = decide(settings, moved, forget_sizes(memory))

    assert decision.target == 3
    assert "somebody else" not in decision.reason
    assert memory.policies == {"odd": 7}


def test_policies_see_since_when_how_many_are_ready():
    asked = []

    class Watching:
        def recommend(self, observation, _memory):
            asked.append(observation.ready_history)
            return Recommendation(observation.counts.desired, "")

    settings, memory = TypeSettings(process_type=observation().process_type, policies=(NamedPolicy("watching", Watching()),)), Memory()
    for now, running in ((0.0, 3), (5.0, 5), (10.0, 5), (2000.0, 4)):
        _, memory = decide(settings, replace(observation(), now=now, counts=Counts(5, running)), memory)

    assert asked[2] == (ReadyCount(0.0, 3), ReadyCount(5.0, 5))
    assert asked[3] == (ReadyCount(5.0, 5), ReadyCount(2000.0, 4))  # one older than a quarter of an hour tells what was then


def test_changes_and_scale_outs_in_vain_of_another_backend_are_forgotten():
    memory = Memory(changes=(SizeChange(0.0, 2, 4),), futility=Futility(in_vain=2))

    assert forget_sizes(memory) == Memory()
