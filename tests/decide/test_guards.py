"""Stage 6: projection, crash loop, memory; and singletons, calls and ceilings of stage 8."""

from dataclasses import dataclass

import pytest

from autoscaler.decide.memory import Memory
from autoscaler.decide.pipeline import decide
from autoscaler.decide.settings import DirectionLimits, NamedPolicy, Schedule, TypeSettings, WhenMissing, Window
from autoscaler.model import Address, Counts, Missing, Observation, ProcessType, Recommendation


@dataclass(frozen=True)
class Mean:
    """Wants a process less, although the load would be too high for fewer than ``needed``."""

    wanted: int
    needed: int

    def recommend(self, _observation, _memory):
        return Recommendation(self.wanted, "low")

    def projected(self, _observation, processes):
        return processes if processes >= self.needed else processes + 1


def target_of(desired, wanted, needed):
    settings = TypeSettings(
        process_type=ProcessType(name="web", minimum=0, maximum=20),
        policies=(NamedPolicy("mean", Mean(wanted, needed)),),
        scale_in=DirectionLimits(),
    )
    decision, _ = decide(settings, Observation(0.0, 0.0, settings.process_type, Counts(desired, desired)), Memory())
    return decision.target, [adjustment.rule for adjustment in decision.adjustments]


@pytest.mark.parametrize(
    ("desired", "wanted", "needed", "target", "rules"),
    [
        (3, 2, 3, 3, ["projection"]),  # fewer would be asked back at once
        (9, 2, 5, 5, ["projection"]),  # an intermediate number
        (9, 5, 5, 5, []),
        (9, 0, 5, 0, []),  # to 0 there is nothing to project
    ],
)
def test_scale_in_stops_where_the_same_load_would_call_for_scale_out(desired, wanted, needed, target, rules):
    assert target_of(desired, wanted, needed) == (target, rules)


def test_crash_looping_type_is_not_scaled_out(make_type):
    decision = make_type(4).tick(8, is_crash_looping=True)

    assert (decision.target, decision.action) == (4, "hold")
    assert "crash loops" in decision.reason


def test_crash_looping_type_may_scale_in(make_type):
    one = make_type(4)
    one.tick(4)

    assert one.tick(2, is_crash_looping=True).target == 2


def test_processes_that_fail_are_no_capacity_and_freeze_nothing(make_type):
    decision = make_type(20).tick(24, counts=Counts(desired=20, running=19, failed=1))

    assert decision.target == 24


@pytest.mark.parametrize(("room", "target"), [(0, 4), (1, 5), (3, 7), (9, 8), (None, 8)])
def test_no_process_is_started_beyond_the_free_memory(make_type, room, target):
    decision = make_type(4, kind={"memory_bytes": 2 * 1024**3}).tick(8, room=room)

    assert decision.target == target
    assert ("free memory at 2048 MiB each" in decision.reason) is (target < 8)


def test_not_even_the_minimum_goes_beyond_the_free_memory(make_type):
    decision = make_type(0, minimum=3, kind={"memory_bytes": 1024**3}).tick(0, room=1)

    assert decision.target == 1
    assert "the minimum is 3, but only 1 more fits" in decision.reason


def test_lack_of_memory_takes_nothing_away(make_type):
    assert make_type(4, kind={"memory_bytes": 1024**3}).tick(4, room=0).target == 4


def test_singleton_waits_until_the_one_before_it_is_gone(make_type):
    clock = make_type(0, maximum=1, kind={"is_singleton": True})
    draining = clock.tick(1, counts=Counts(desired=0, draining=1))

    assert (draining.target, draining.action) == (0, "hold")
    assert "the one before it may still run" in draining.reason
    assert clock.tick(1, counts=Counts(desired=0)).target == 1


def test_singleton_on_a_silent_host_is_not_started_elsewhere(make_type):
    assert make_type(0, maximum=1, kind={"is_singleton": True}).tick(1, counts=Counts(desired=0, unknown=1)).target == 0


def test_singleton_is_never_asked_for_twice(make_type):
    assert make_type(1, maximum=5, kind={"is_singleton": True}).tick(4).target == 1


@pytest.fixture
def sleeping(make_type):
    return make_type(
        0,
        minimum=0,
        kind={"socket": "shared", "listen": Address("127.0.0.1", 8000)},
        scale_out=DirectionLimits(60.0, 60.0),
        scale_in=DirectionLimits(30.0),
    )


def test_waiting_connection_starts_one_process_at_once(sleeping):
    sleeping.tick(0)
    decision = sleeping.tick(0, is_called=True)

    assert (decision.target, decision.action) == (1, "scale_out")
    assert "a connection came to 127.0.0.1:8000" in decision.reason


def test_waiting_connection_needs_no_data(sleeping):
    sleeping.tick("down")

    assert sleeping.tick("down", is_called=True).target == 1


def test_called_process_stays_for_the_scale_in_window(sleeping):
    sleeping.tick(0)
    sizes = [sleeping.tick(0, is_called=True).target] + [sleeping.tick(0).target for _ in range(8)]

    assert sizes == [1, 1, 1, 1, 1, 1, 0, 0, 0]


def test_called_process_stays_until_it_is_ready_even_without_a_window(make_type):
    one = make_type(0, minimum=0, kind={"socket": "shared"}, scale_in=DirectionLimits())
    one.tick(0)
    starting = [one.tick(0, is_called=called, counts=Counts(one.desired, starting=one.desired)).target for called in (True, False, False)]

    assert starting == [1, 1, 1]
    assert one.tick(0, counts=Counts(1, running=1)).target == 0


def test_connection_does_not_wake_a_type_that_is_off(make_type):
    one = make_type(2, minimum=1)
    one.tick(2)
    one.desired = 0

    assert [one.tick(2, is_called=True).target for _ in range(2)] == [0, 0]


def test_connection_does_not_wake_a_paused_type(sleeping, held_still):
    sleeping.pause = held_still

    assert sleeping.tick(0, is_called=True).target == 0


@dataclass(frozen=True)
class Sharing:
    """Wants a process for every ten of a load, and knows that the load does not depend on the size."""

    load: int

    def recommend(self, _observation, _memory):
        return Recommendation(self.load // 10, f"{self.load} / 10")

    def projected(self, _observation, _processes):
        return self.load // 10


def decide_once(desired, *policies, **settings):
    named = tuple(NamedPolicy(f"p{index}", policy) for index, policy in enumerate(policies))
    process_type = ProcessType(name="web", minimum=0, maximum=60)
    one = TypeSettings(process_type=process_type, policies=named, scale_in=DirectionLimits(), **settings)
    return decide(one, Observation(0.0, 1e9, process_type, Counts(desired, desired)), Memory())[0]


def test_lower_maximum_of_a_window_is_not_undone_by_the_load():
    evening = Schedule("UTC", (Window(cron="* * * * *", for_seconds=60.0, maximum=4),))

    assert decide_once(40, Sharing(400), schedule=evening).target == 4


def test_projection_holds_no_more_than_a_window_lets_stay():
    evening = Schedule("UTC", (Window(cron="* * * * *", for_seconds=60.0, maximum=5),))
    decision = decide_once(6, Mean(4, needed=6), schedule=evening)

    assert (decision.target, [adjustment.rule for adjustment in decision.adjustments]) == (5, ["projection"])


@pytest.mark.parametrize(("combine", "target"), [("min", 2), ("first", 2), ("max", 10), ("sum", 12)])
def test_what_is_projected_is_combined_as_the_wishes_are(combine, target):
    assert decide_once(12, Sharing(20), Sharing(100), combine=combine).target == target


def test_many_processes_are_projected_in_few_questions():
    asked = []

    class Asking(Sharing):
        def projected(self, _observation, processes):
            asked.append(processes)
            return max(processes, 1000)

    assert "projection" in [adjustment.rule for adjustment in decide_once(50_000, Asking(100)).adjustments]
    assert len(asked) < 40


def test_reason_says_why_not_even_the_minimum_runs(make_type):
    decision = make_type(1, minimum=3, kind={"memory_bytes": 1024**3}).tick(1, room=0)

    assert (decision.target, decision.action) == (1, "hold")
    assert decision.reason == "wants 1; the minimum is 3, but no more fits in the host's free memory at 1024 MiB each"


def test_type_that_is_off_always_says_so(make_type):
    one = make_type(2, minimum=1)
    one.tick(2)
    one.desired = 0
    decision = one.tick(0)

    assert (decision.target, decision.action) == (0, "hold")
    assert decision.reason.endswith("off until it is raised by hand")


def test_type_set_to_0_while_a_window_raises_its_minimum_is_off_until_the_window_ends(make_type):
    window = Schedule("UTC", (Window(cron="0 8 * * *", for_seconds=3600.0, minimum=4),))
    one = make_type(4, minimum=0, schedule=window, wall=1_795_651_200.0 + 8 * 3600 - 10)  # 2026-11-26 07:59:50 UTC
    one.tick(4, after=10.0)
    one.desired = 0
    during = [one.tick(4).target for _ in range(3)]
    after = one.tick(4, after=3600.0).target

    assert (during, after) == ([0, 0, 0], 4)


def test_singleton_that_runs_stays_while_the_one_before_it_drains(make_type):
    one = make_type(1, maximum=1, kind={"is_singleton": True})

    assert one.tick(1, counts=Counts(desired=1, running=1, draining=1)).target == 1


def test_size_that_is_enough_tells_nothing_of_the_memory(make_type):
    decision = make_type(4, kind={"memory_bytes": 1024**3}).tick(4, room=0)

    assert (decision.action, decision.reason) == ("none", "wants 4")


@dataclass(frozen=True)
class Silent:
    def recommend(self, _observation, _memory):
        return Missing("queue", "down")


@pytest.mark.parametrize(("combine", "target"), [("min", 2), ("first", 2), ("max", 8), ("sum", 10)])
def test_what_stands_in_for_missing_data_is_projected_with_the_rest(combine, target):
    named = (NamedPolicy("silent", Silent(), WhenMissing("processes", 2)), NamedPolicy("sharing", Sharing(80)))
    process_type = ProcessType(name="web", minimum=0, maximum=60)
    one = TypeSettings(process_type=process_type, policies=named, scale_in=DirectionLimits(), combine=combine)

    assert decide(one, Observation(0.0, 1e9, process_type, Counts(12, 12)), Memory())[0].target == target


def test_connection_that_a_closed_window_leaves_waiting_is_named(make_type):
    closed = Schedule("UTC", (Window(cron="* * * * *", for_seconds=60.0, processes=0),))
    decision = make_type(0, minimum=0, schedule=closed).tick(0, is_called=True)

    assert (decision.target, decision.action) == (0, "hold")
    assert decision.reason == "wants 0; a connection waits, but at most 0 in the window '* * * * *'"


def test_window_that_holds_at_once_is_named(make_type):
    closed = Schedule("UTC", (Window(cron="* * * * *", for_seconds=60.0, maximum=2, at_once=True),))
    decision = make_type(6, schedule=closed, scale_in=DirectionLimits(300.0)).tick(6)

    assert decision.target == 2
    assert decision.reason.endswith("at most 2 in the window '* * * * *'")
