"""Stage 7: a limited number of processes for the whole formation."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.decide.asking import DIRECTLY
from autoscaler.decide.course import begin_course, end_course
from autoscaler.decide.formation_cap import Others, share_out
from autoscaler.decide.memory import Memory, SizeChange, last_size, occupied
from autoscaler.decide.settings import DirectionLimits, FormationCap, NamedPolicy, Pause, RateLimit, TypeSettings
from autoscaler.model import Counts, Observation, ProcessType, Recommendation

FREE = DirectionLimits()
STEP = 5.0


@dataclass(frozen=True)
class Wanting:
    processes: int

    def recommend(self, _observation, _memory):
        return Recommendation(self.processes, f"wants {self.processes}")


@dataclass(frozen=True)
class Projecting(Wanting):
    def projected(self, _observation, _processes):
        return self.processes


@dataclass(frozen=True)
class Holding(Wanting):
    def projected(self, _observation, processes):
        return processes + 1


@dataclass
class Crew:
    """One type of a formation; what leaves drains for a while."""

    name: str
    desired: int
    drain_ticks: int = 0
    minimum: int = 0
    priority: int = 0
    weight: float = 1.0
    scale_in: DirectionLimits = FREE
    pause: Pause = field(default_factory=Pause)
    maximum: int = 50
    room: int | None = None
    scale_out: DirectionLimits = FREE
    is_projecting: bool = False
    is_holding: bool = False
    is_crash_looping: bool = False
    memory: Memory = field(default_factory=Memory)
    draining: list[int] = field(default_factory=list)  # ticks left, one a process

    @property
    def kind(self):
        return Holding if self.is_holding else Projecting if self.is_projecting else Wanting

    def begin(self, tick, wanted):
        process_type = ProcessType(name=self.name, minimum=self.minimum, maximum=self.maximum, memory_bytes=1024)
        policies = (NamedPolicy("wanting", self.kind(wanted)),)
        settings = TypeSettings(
            process_type=process_type, policies=policies, scale_out=self.scale_out, scale_in=self.scale_in, priority=self.priority, weight=self.weight
        )
        self.draining = [left - 1 for left in self.draining if left > 1]
        counts = Counts(self.desired, running=self.desired, draining=len(self.draining))
        observation = Observation(tick * STEP, 1e9 + tick * STEP, process_type, counts, room=self.room, is_crash_looping=self.is_crash_looping)
        return begin_course(settings, observation, self.memory, self.pause, DIRECTLY)

    def end(self, course, ceiling):
        decision, self.memory = end_course(course, ceiling)
        self.draining += [self.drain_ticks] * max(0, self.desired - decision.target)
        self.draining = [left for left in self.draining if left]
        self.desired = decision.target
        return decision

    @property
    def alive(self):
        return self.desired + len(self.draining)


def play(cap, crews, wishes, ticks=1, start=0):
    for tick in range(start, start + ticks):
        courses = [crew.begin(tick, wishes[crew.name]) for crew in crews]
        shared = share_out(cap, courses)
        yield [crew.end(*one) for crew, one in zip(crews, shared, strict=True)]


def sizes(cap, crews, **wishes):
    (decisions,) = play(cap, crews, wishes)
    return [decision.target for decision in decisions]


def test_cap_counts_processes_until_they_have_exited():
    crews = [Crew("web", 8), Crew("worker", 12, drain_ticks=120)]
    cap, alive = FormationCap(20), []
    for decisions in play(cap, crews, {"web": 16, "worker": 4}, ticks=130):
        alive.append(sum(crew.alive for crew in crews))
        web = decisions[0].target

    assert max(alive) == 20
    assert web == 16


def test_growth_waits_for_what_drains_and_says_so():
    crews = [Crew("web", 8), Crew("worker", 8)]
    crews[1].draining = [99] * 4
    (decisions,) = play(FormationCap(20), crews, {"web": 12, "worker": 8})

    assert (decisions[0].target, decisions[0].action) == (8, "hold")
    assert decisions[0].reason.endswith("0 of 20 processes are free, 0 for web")


@pytest.mark.parametrize(
    ("cap", "crews", "wishes", "expected"),
    [
        (20, [Crew("a", 4), Crew("b", 4)], {"a": 10, "b": 10}, [10, 10]),  # room for all
        (12, [Crew("a", 4), Crew("b", 4)], {"a": 10, "b": 10}, [6, 6]),
        (12, [Crew("a", 0), Crew("b", 0, weight=2.0)], {"a": 20, "b": 20}, [4, 8]),
        (12, [Crew("a", 6), Crew("b", 0)], {"a": 20, "b": 20}, [6, 6]),  # towards equal sizes
        (12, [Crew("a", 4), Crew("b", 4, priority=1)], {"a": 10, "b": 7}, [5, 7]),
        (12, [Crew("a", 4), Crew("b", 4, priority=1)], {"a": 10, "b": 20}, [4, 8]),
        (12, [Crew("a", 0, minimum=3), Crew("b", 4, priority=1)], {"a": 0, "b": 20}, [3, 9]),  # minimums first
        (6, [Crew("a", 4), Crew("b", 4)], {"a": 10, "b": 2}, [4, 2]),  # over the cap already: nothing grows, nothing is taken
    ],
)
def test_growth_is_shared_by_priority_and_weight(cap, crews, wishes, expected):
    assert sizes(FormationCap(cap), crews, **wishes) == expected


def test_types_that_cannot_be_seen_keep_their_room():
    (course,) = [Crew("a", 4).begin(0, 10)]
    ((_, ceiling),) = share_out(FormationCap(12), [course], others=Others(6))

    assert ceiling.processes == 6


def test_paused_type_takes_no_room_from_the_others():
    crews = [Crew("a", 4, priority=1, pause=Pause(scale_out=True)), Crew("b", 4)]

    assert sizes(FormationCap(10), crews, a=9, b=9) == [4, 6]


def test_without_preemption_a_lower_priority_keeps_what_it_has():
    crews = [Crew("batch", 10), Crew("web", 2, priority=1)]

    assert sizes(FormationCap(12), crews, batch=10, web=6) == [10, 2]


def test_lower_priority_gives_way_and_growth_follows_its_exits():
    crews = [Crew("batch", 10, drain_ticks=4), Crew("web", 2, priority=1)]
    history = [(d[0].target, d[1].target) for d in play(FormationCap(12, preempt=True), crews, {"batch": 10, "web": 6}, ticks=10)]

    assert history[0] == (6, 2)
    assert history[-1] == (6, 6)
    assert all(batch + web <= 12 for batch, web in history)
    assert [web for _, web in history] == sorted(web for _, web in history)


def test_preempted_type_scales_in_through_its_own_limits():
    slow = DirectionLimits(30.0, 0.0, (RateLimit(1, "processes", 60.0),))
    crews = [Crew("batch", 10, scale_in=slow), Crew("web", 2, priority=1)]
    history = [d[0].target for d in play(FormationCap(12, preempt=True), crews, {"batch": 10, "web": 6}, ticks=60)]

    assert history[:6] == [10] * 6
    assert history[-1] == 6
    assert max(before - after for before, after in zip(history, history[1:], strict=False)) == 1  # noqa: RUF007 - plain to read


def test_preemption_stops_at_the_minimum_and_spares_the_higher_of_two():
    crews = [Crew("low", 4, minimum=3), Crew("middle", 4, priority=1), Crew("high", 4, priority=2)]
    for decisions in play(FormationCap(12, preempt=True), crews, {"low": 4, "middle": 4, "high": 6}, ticks=5):
        last = [decision.target for decision in decisions]

    assert last == [3, 3, 6]


def test_reason_names_the_priority_that_is_short():
    crews = [Crew("batch", 10), Crew("web", 2, priority=1)]
    ((batch, _),) = play(FormationCap(12, preempt=True), crews, {"batch": 10, "web": 6})

    assert "4 more are wanted with a higher priority than 0" in batch.reason


@given(
    st.integers(1, 30),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 10), st.integers(0, 3), st.sampled_from([0.5, 1.0, 3.0]), st.integers(0, 5)), min_size=1, max_size=4),
    st.lists(st.lists(st.integers(0, 40), min_size=4, max_size=4), min_size=1, max_size=20),
)
def test_formation_never_grows_beyond_its_cap(total, preempt, kinds, wishes):
    crews = [Crew(f"t{i}", size, drain, priority=drain, weight=weight) for i, (size, _, weight, drain) in enumerate(kinds)]
    before = sum(crew.alive for crew in crews)
    for tick, wanted in enumerate(wishes):
        for _ in play(FormationCap(total, preempt), crews, {crew.name: wanted[i] for i, crew in enumerate(crews)}, start=tick):
            alive = sum(crew.alive for crew in crews)
            assert alive <= max(total, before)
            before = alive


@given(
    st.integers(1, 40),
    st.lists(st.tuples(st.integers(0, 10), st.integers(0, 2), st.sampled_from([0.5, 1.0, 3.0]), st.integers(0, 60)), min_size=1, max_size=5),
)
def test_nothing_stays_free_while_somebody_is_refused(total, kinds):
    crews = [Crew(f"t{i}", size, priority=priority, weight=weight) for i, (size, priority, weight, _) in enumerate(kinds)]
    free = total - sum(crew.alive for crew in crews)
    courses = [crew.begin(0, wanted) for crew, (*_, wanted) in zip(crews, kinds, strict=True)]
    grown = [
        (min(course.processes, ceiling.processes) if ceiling else course.processes) - course.situation.current
        for course, ceiling in share_out(FormationCap(total), courses)
    ]

    assert sum(max(0, more) for more in grown) <= max(0, free)
    if any(ceiling for _, ceiling in share_out(FormationCap(total), courses)):
        assert sum(max(0, more) for more in grown) == max(0, free)


def test_growth_that_a_type_can_never_have_takes_no_room_from_others():
    crews = [Crew("web", 10, priority=1, maximum=10), Crew("batch", 2)]

    assert sizes(FormationCap(20), crews, web=1000, batch=10) == [10, 10]


def test_growth_that_memory_denies_takes_no_room_from_others():
    crews = [Crew("web", 2, minimum=5, priority=1, room=0), Crew("batch", 2)]

    assert sizes(FormationCap(10), crews, web=5, batch=10) == [2, 8]


@pytest.mark.parametrize("pause", [Pause(), Pause(scale_in=True)])
def test_scale_in_that_a_minimum_or_a_pause_takes_back_makes_no_room(pause):
    idle = Crew("idle", 3, minimum=0 if pause.scale_in else 3, pause=pause)
    crews = [idle, Crew("batch", 10), Crew("web", 7, priority=1)]
    for decisions in play(FormationCap(20, preempt=True), crews, {"idle": 0, "batch": 10, "web": 10}, ticks=3):
        last = [decision.target for decision in decisions]

    assert last == [3, 7, 10]


def test_busy_lower_priority_that_projects_its_load_gives_way_too():
    crews = [Crew("batch", 10, is_projecting=True), Crew("web", 2, priority=1)]
    for decisions in play(FormationCap(12, preempt=True), crews, {"batch": 10, "web": 6}, ticks=3):
        last = [decision.target for decision in decisions]

    assert last == [6, 6]


def test_projection_holds_no_more_than_preemption_lets_stay():
    crews = [Crew("batch", 10, is_holding=True), Crew("web", 2, priority=1)]
    for decisions in play(FormationCap(12, preempt=True), crews, {"batch": 8, "web": 3}, ticks=3):
        last = [decision.target for decision in decisions]

    assert last == [9, 3]


def test_preemption_does_not_wait_for_a_window_again_and_again():
    slow = DirectionLimits(300.0, 0.0, (RateLimit(25, "percent", 60.0),))
    paced = DirectionLimits(at_most=(RateLimit(4, "processes", 15.0),))
    crews = [Crew("batch", 18, scale_in=slow), Crew("web", 2, priority=1, scale_out=paced)]
    history = [(d[0].target, d[1].target) for d in play(FormationCap(20, preempt=True), crews, {"batch": 18, "web": 18}, ticks=160)]

    assert history[55] == (18, 2)
    assert history[150] == (2, 18)


PACED = DirectionLimits(at_most=(RateLimit(4, "processes", 15.0),))


def test_nobody_gives_way_while_enough_is_free():
    crews = [Crew("batch", 10), Crew("web", 5, priority=1, scale_out=PACED)]
    history = [(d[0].target, d[1].target) for d in play(FormationCap(1000, preempt=True), crews, {"batch": 12, "web": 25}, ticks=20)]

    assert history[0] == (12, 9)
    assert history[-1] == (12, 25)


def test_lower_priority_gives_no_more_than_is_lacking():
    crews = [Crew("batch", 15), Crew("web", 5, priority=1, scale_out=PACED)]
    history = [(d[0].target, d[1].target) for d in play(FormationCap(30, preempt=True), crews, {"batch": 15, "web": 25}, ticks=30)]

    assert history[-1] == (5, 25)
    assert min(batch for batch, _ in history) == 5


@pytest.mark.parametrize(
    "hindrance",
    [
        {"scale_out": DirectionLimits(select="disabled")},
        {"room": 0},
        {"is_crash_looping": True},
        {"scale_out": DirectionLimits(stabilization_seconds=300.0)},
    ],
)
def test_nobody_gives_way_to_a_type_that_cannot_grow(hindrance):
    crews = [Crew("batch", 15), Crew("web", 5, priority=1, **hindrance)]
    for decisions in play(FormationCap(20, preempt=True), crews, {"batch": 15, "web": 15}, ticks=3):
        last = [decision.target for decision in decisions]

    assert last == [15, 5]


def test_equals_give_way_in_proportion():
    crews = [Crew("a", 10), Crew("b", 10), Crew("web", 2, priority=1)]

    assert sizes(FormationCap(22, preempt=True), crews, a=10, b=10, web=8) == [7, 7, 2]


def test_formation_above_its_cap_says_so():
    crews = [Crew("web", 3), Crew("job", 3)]
    (decisions,) = play(FormationCap(4), crews, {"web": 3, "job": 3})

    assert [(decision.target, decision.action) for decision in decisions] == [(3, "hold"), (3, "hold")]
    assert decisions[0].reason == "wants 3; 6 processes are alive and 4 are the most: nothing grows"


def test_failed_and_starting_processes_are_occupied_once():
    assert occupied(Counts(desired=5, running=2, starting=1, failed=2, draining=3)) == 8
    assert occupied(replace(Counts(desired=2), running=4)) == 4


@pytest.mark.parametrize(("after", "most"), [(6, 9), (4, 7), (2, 7)])
def test_type_that_is_not_seen_may_have_what_it_was_asked_to_grow(after, most):
    assert last_size(Memory(occupied=7, asked=SizeChange(0.0, 4, after))) == most


def test_several_lower_priorities_together_give_up_what_is_lacking_and_no_more():
    crews = [Crew("a", 6), Crew("b", 6), Crew("web", 4, priority=1)]

    assert sum(sizes(FormationCap(16, preempt=True), crews, a=6, b=6, web=8)[:2]) == 8


def test_nothing_is_taken_for_what_draining_processes_will_leave_free():
    crews = [Crew("batch", 8), Crew("web", 4, priority=1)]
    crews[0].draining = [99] * 4

    assert sizes(FormationCap(16, preempt=True), crews, batch=8, web=8) == [8, 4]


def test_lower_priority_does_not_grow_into_what_a_slower_higher_one_needs():
    paced = DirectionLimits(at_most=(RateLimit(1, "processes", 15.0),))
    crews = [Crew("batch", 4, minimum=4), Crew("web", 4, priority=1, scale_out=paced)]

    assert sizes(FormationCap(12, preempt=True), crews, batch=8, web=8) == [4, 5]
