"""What holds for every policy and every limit, whatever the world does; make laws searches long for a counterexample."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from autoscaler.decide.settings import DirectionLimits, Schedule, Window
from autoscaler.model import Missing
from tests.laws.world import ANYTHING, POLICIES, law, plain, play, scheduled, ticks, types

SIZES = st.integers(0, 70)
STEPPING = st.one_of(POLICIES["step"], POLICIES["spare"])


@law
@given(types(), SIZES, ticks())
def test_target_never_leaves_the_limits(one, desired, drawn):
    for decision in play(one, desired, drawn):
        is_off = "off until it is raised" in decision.reason
        assert is_off or one.process_type.minimum <= decision.target <= one.process_type.maximum


@law
@given(st.data(), types(), SIZES, ticks())
def test_target_never_leaves_the_limits_of_a_schedule(data, one, desired, drawn):
    for decision in play(data.draw(scheduled(one)), desired, drawn):
        assert 0 <= decision.target <= one.process_type.maximum


@law
@given(types(), SIZES, ticks(ANYTHING))
def test_nothing_that_is_read_raises(one, desired, drawn):
    for decision in play(one, desired, drawn):
        assert decision.reason


@law
@given(types(), SIZES, ticks())
def test_same_inputs_give_the_same_decisions(one, desired, drawn):
    assert list(play(one, desired, drawn)) == list(play(one, desired, drawn))


@law
@given(types(), SIZES, ticks())
def test_memory_that_went_through_a_record_decides_the_same(one, desired, drawn):
    assert list(play(one, desired, drawn, through=plain)) == list(play(one, desired, drawn))


@law
@given(st.data(), types(), SIZES, ticks())
def test_adjustments_add_up_from_recommendation_to_target(data, one, desired, drawn):
    for decision in play(data.draw(scheduled(one)), desired, drawn):
        steps = [(adjustment.before, adjustment.after) for adjustment in decision.adjustments]
        assert all(before != after for before, after in steps)
        assert all(first[1] == second[0] for first, second in pairwise(steps))
        assert not steps or steps[-1][1] == decision.target


@law
@given(types(), SIZES, ticks())
def test_missing_data_never_scales_in(one, desired, drawn):
    for decision in play(one, desired, drawn):
        current = decision.observation.counts.desired
        used = decision.answers[:1] if one.combine == "first" else decision.answers
        if any(isinstance(given.answer, Missing) for given in used):
            assert decision.target >= min(current, one.process_type.maximum)


@law
@given(types(), SIZES, ticks())
def test_no_scale_in_within_the_first_window_or_after_a_gap(one, desired, drawn):
    span, since, previous = one.scale_in.stabilization_seconds, 0.0, None
    for decision in play(one, desired, drawn):
        now, current = decision.observation.now, decision.observation.counts.desired
        is_gap = previous is None or now - previous > 3 * one.process_type.interval_seconds
        since, previous = now if is_gap else since, now
        assert decision.target >= min(current, one.process_type.maximum) or now - since >= span


@law
@given(types(), SIZES, ticks())
def test_no_scale_in_below_a_size_that_was_wanted_within_the_window(one, desired, drawn):
    wishes = []
    for decision in play(one, desired, drawn):
        now, current = decision.observation.now, decision.observation.counts.desired
        recent = [wish for at, wish in wishes if now - at < one.scale_in.stabilization_seconds]
        assert not recent or decision.target >= min(current, one.process_type.maximum, max(recent))
        wishes.append((now, decision.adjustments[0].before if decision.adjustments else decision.target))


@law
@given(types(), SIZES, ticks())
def test_scale_out_keeps_to_its_percentages_exactly(one, desired, drawn):
    limits, changes = one.scale_out.at_most, []
    for decision, tick in zip(play(one, desired, drawn), drawn, strict=True):
        now, current = decision.observation.now, decision.observation.counts.desired
        if one.scale_out.select == "max" and limits and all(limit.unit == "percent" for limit in limits):
            starts = [current - sum(more for at, more in changes if now - at < limit.period_seconds) for limit in limits]
            most = max(max(start + 1, -(-start * (100 + limit.amount) // 100)) for start, limit in zip(starts, limits, strict=True))
            assert decision.target <= max(most, current, 1, one.process_type.minimum)
        changes += [(now, decision.target - current)] if tick.accepts else []


@law
@given(types(), SIZES, ticks())
def test_nothing_grows_while_it_crash_loops_but_to_its_minimum(one, desired, drawn):
    for decision in play(one, desired, drawn):
        if decision.observation.is_crash_looping:
            floor = max(1, one.process_type.minimum)
            assert decision.target <= max(decision.observation.counts.desired, floor)


@law
@given(types(), SIZES, st.integers(5, 60), ticks())
def test_lower_maximum_of_a_window_is_reached_whatever_the_policies_want(one, desired, maximum, drawn):
    window = Window(cron="* * * * *", for_seconds=60.0, maximum=max(maximum, one.process_type.minimum))
    free = replace(one, schedule=Schedule("UTC", (window,)), scale_in=DirectionLimits())
    for decision in play(free, desired, drawn):
        assert decision.target <= max(window.maximum, one.process_type.minimum)


@law
@given(types(STEPPING), SIZES, ticks())
def test_policies_that_step_keep_within_the_limits_too(one, desired, drawn):
    for decision in play(one, desired, drawn):
        is_off = "off until it is raised" in decision.reason
        assert is_off or one.process_type.minimum <= decision.target <= one.process_type.maximum
