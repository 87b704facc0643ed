"""The pipeline as a whole: its laws, whatever it is fed."""

import json
from dataclasses import asdict, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.decide.memory import Memory, forget_sizes
from autoscaler.decide.pipeline import PolicyError, ask, decide
from autoscaler.decide.settings import DirectionLimits, NamedPolicy, Pause, RateLimit, TypeSettings
from autoscaler.model import Abstain, Counts, Missing, Observation, ProcessType, Recommendation

ANSWERS = st.one_of(
    st.integers(-5, 100).map(lambda wish: Recommendation(wish, f"wants {wish}")),
    st.just(Missing("queue", "down")),
    st.just(Abstain("nothing to say")),
)


class Scripted:
    def __init__(self, answer):
        self.answer = answer

    def recommend(self, _observation, _memory):
        return self.answer


def directions():
    limit = st.builds(RateLimit, st.integers(1, 100), st.sampled_from(["processes", "percent"]), st.sampled_from([15.0, 60.0]))
    spans = st.sampled_from([0.0, 10.0, 60.0, 300.0])
    return st.builds(DirectionLimits, spans, spans, st.lists(limit, max_size=2).map(tuple), st.sampled_from(["max", "min", "disabled"]))


@st.composite
def runs(draw):
    """Settings, and a list of ticks: the seconds since the last, the answers, whether the backend accepts."""
    minimum = draw(st.integers(0, 5))
    process_type = ProcessType(name="worker", minimum=minimum, maximum=draw(st.integers(max(1, minimum), 30)))
    policies = draw(st.integers(0, 3))
    settings = TypeSettings(
        process_type=process_type,
        policies=tuple(NamedPolicy(f"p{index}", Scripted(None)) for index in range(policies)),
        combine=draw(st.sampled_from(["max", "min", "sum", "first"])),
        scale_out=draw(directions()),
        scale_in=draw(directions()),
    )
    tick = st.tuples(st.sampled_from([1.0, 5.0, 400.0]), st.tuples(*[ANSWERS] * policies), st.booleans())
    return settings, draw(st.integers(0, 40)), draw(st.lists(tick, min_size=1, max_size=25))


def play(settings, desired, ticks):
    now, memory = 0.0, Memory()
    for after, answers, accept in ticks:
        now += after
        given_answers = dict(zip((named.name for named in settings.policies), answers, strict=True))
        observation = Observation(now, 1e9 + now, settings.process_type, Counts(desired, desired))
        decision, memory = decide(settings, observation, memory, ask=lambda named, _o, _m, given=given_answers: given[named.name])
        yield decision, answers, memory
        desired = decision.target if accept else desired


@given(runs())
def test_the_target_never_leaves_the_limits(run):
    for decision, _, _ in play(*run):
        assert run[0].process_type.minimum <= decision.target <= run[0].process_type.maximum


@given(runs())
def test_adjustments_add_up_from_recommendation_to_target(run):
    for decision, _, _ in play(*run):
        steps = [(adjustment.before, adjustment.after) for adjustment in decision.adjustments]
        assert all(before != after for before, after in steps)
        assert all(first[1] == second[0] for first, second in pairwise(steps))
        assert not steps or steps[-1][1] == decision.target


@given(runs())
def test_missing_data_never_scales_in_below_the_maximum(run):
    for decision, answers, _ in play(*run):
        if any(isinstance(answer, Missing) for answer in answers) and run[0].combine != "first":
            assert decision.target >= min(decision.observation.counts.desired, run[0].process_type.maximum)


@given(runs())
def test_the_same_inputs_give_the_same_decisions(run):
    assert [decision for decision, _, _ in play(*run)] == [decision for decision, _, _ in play(*run)]


@given(runs())
def test_the_memory_is_plain_json(run):
    for _, _, memory in play(*run):
        assert json.loads(json.dumps(asdict(memory)))["last_tick"] == memory.last_tick


@given(runs())
def test_a_change_has_a_reason(run):
    for decision, _, _ in play(*run):
        assert decision.reason


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
