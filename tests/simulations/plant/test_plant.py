from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.model import Address, Counts, ProcessType
from autoscaler_simulations.durations import Deterministic, Exponential
from autoscaler_simulations.load.arrivals import Arrivals
from autoscaler_simulations.load.trace import JobList
from autoscaler_simulations.plant.life import FailingStarts, Life, LostHost, SlowStarts, Span
from autoscaler_simulations.plant.plant import Plant
from autoscaler_simulations.plant.requests import RequestQueue
from autoscaler_simulations.score.objective import Objective
from autoscaler_simulations.score.outcomes import Outcomes

ALWAYS = Span(at_seconds=0, for_seconds=1e9)
SHARED = {"socket": "shared", "listen": Address("127.0.0.1", 8000)}


def span(at, ends):
    return Span(at_seconds=at, for_seconds=ends - at)


def queue_of(jobs, kind=RequestQueue):
    """Make a queue of jobs that arrive at a second and take so many."""
    arrivals, services = np.array(jobs, float).reshape(-1, 2).T
    trace = JobList(arrivals, services, 1e6)
    return kind(Arrivals(trace, None).blocks(np.random.default_rng(1)), Outcomes(Objective("wait", 1.0), 1e6))


def make(running=0, jobs=(), startup=5, life=None, **keys):
    whole = Life(startup=Deterministic(mean_seconds=startup), **(life or {}))
    return Plant(process_type(**keys), whole, queue_of(jobs), np.random.default_rng(1), running)


def process_type(**keys):
    return ProcessType(name="web", minimum=0, maximum=50, **keys)


def counts(plant):
    return plant.observe().counts


def states(plant):
    return {process.name.removeprefix("web."): process.state for process in plant.observe().processes}


# Starts and stops


def test_a_process_starts_and_becomes_ready_after_its_startup():
    plant = make()
    plant.scale(2)
    assert counts(plant) == Counts(desired=2, starting=2)
    plant.advance(4.999)
    assert counts(plant).starting == 2
    plant.advance(5)
    assert counts(plant) == Counts(desired=2, running=2)
    assert plant.observe().startup_seconds == 5


def test_cost_runs_from_the_request_of_a_start_to_the_exit():
    plant = make()
    plant.advance(10)
    plant.scale(2)
    plant.advance(40)
    plant.scale(0)
    plant.advance(100)
    assert plant.usage.process_seconds == 2 * 30
    assert plant.usage.ready_seconds == 2 * 25
    assert (plant.usage.starts, plant.usage.stops) == (2, 2)


def test_the_highest_numbers_stop_and_the_lowest_free_ones_start():
    plant = make(running=4, jobs=[(0, 100)], stop_timeout_seconds=1000)
    plant.advance(1)  # the job is with number 1
    plant.scale(2)
    assert states(plant) == {"1": "running", "2": "running"}
    plant.scale(0)
    plant.scale(2)
    assert states(plant) == {"1": "draining", "2": "starting", "3": "starting"}


def test_a_starting_process_that_is_told_to_stop_is_gone_at_once():
    plant = make()
    plant.scale(1)
    plant.advance(3)
    plant.scale(0)
    assert states(plant) == {}
    plant.advance(50)
    assert plant.usage.process_seconds == 3


def test_a_process_finishes_its_work_before_it_exits():
    plant = make(running=1, jobs=[(0, 30)], stop_timeout_seconds=60)
    plant.advance(10)
    plant.scale(0)
    assert counts(plant) == Counts(desired=0, draining=1)
    plant.advance(29.9)
    assert states(plant) == {"1": "draining"}
    plant.advance(100)
    assert states(plant) == {}
    assert (plant.usage.process_seconds, plant.queue.tally().completed) == (30, 1)


def test_a_draining_process_takes_no_more_work():
    plant = make(running=1, jobs=[(0, 30), (12, 1)], slots=2, stop_timeout_seconds=60)
    plant.advance(10)
    plant.scale(0)
    plant.advance(20)
    assert plant.queue.tally().waiting == 1


@pytest.mark.parametrize(("returns", "waiting", "lost"), [(True, 1, 0), (False, 0, 1)])
def test_a_drain_that_outlives_its_stop_timeout_is_killed(returns, waiting, lost):
    plant = make(running=1, jobs=[(0, 100)], life={"returns_work": returns}, stop_timeout_seconds=10)
    plant.advance(5)
    plant.scale(0)
    plant.advance(50)
    assert plant.usage.process_seconds == 15
    assert (plant.usage.jobs_killed, plant.usage.drains_killed, plant.observe().drains_killed) == (1, 1, 1)
    assert (plant.queue.tally().waiting, plant.queue.tally().lost) == (waiting, lost)


def test_a_drain_that_ends_at_its_very_stop_timeout_is_not_killed():
    plant = make(running=1, jobs=[(0, 15)], stop_timeout_seconds=10)
    plant.advance(5)
    plant.scale(0)
    plant.advance(15)
    assert (plant.usage.drains_killed, plant.queue.tally().completed) == (0, 1)


def test_a_returned_job_is_served_by_another_process():
    plant = make(running=2, jobs=[(0, 1), (0, 40)], stop_timeout_seconds=10)
    plant.advance(5)  # the long job is with number 2
    plant.scale(1)
    plant.advance(55)
    assert plant.queue.tally().completed == 2
    assert plant.queue.tally().started == 3


def test_a_new_singleton_waits_for_the_end_of_the_last_one():
    plant = make(running=1, jobs=[(0, 30)], is_singleton=True, stop_timeout_seconds=60)
    plant.advance(10)
    plant.scale(0)
    plant.scale(3)
    assert counts(plant) == Counts(desired=3, starting=1, draining=1)
    assert states(plant) == {"1": "draining"}
    plant.advance(30)
    assert states(plant) == {"1": "starting"}
    plant.advance(35)
    assert counts(plant) == Counts(desired=3, running=1)


# Failures


def test_a_start_that_fails_is_repeated_after_half_a_second_up_or_down_by_a_fifth():
    plant = make(life={"failing": (FailingStarts(span=span(0, 1)),)})
    plant.scale(1)
    plant.advance(5.39)
    assert (states(plant), plant.usage.crashes, plant.usage.process_seconds) == ({"1": "failed"}, 1, 5)
    plant.advance(5.61)
    assert states(plant) == {"1": "starting"}
    plant.advance(11)
    assert states(plant) == {"1": "running"}


def test_the_pause_before_a_restart_doubles_to_half_a_minute():
    plant = make(startup=0, life={"failing": (FailingStarts(span=ALWAYS),)})
    plant.scale(1)
    seconds = 0.5 + 1 + 2 + 4 + 8 + 16 + 30 + 30
    plant.advance(0.79 * seconds)
    assert plant.usage.starts < 9
    plant.advance(1.21 * seconds)
    assert plant.usage.starts >= 9


def test_a_start_that_fails_after_a_minute_is_repeated_soon_every_time():
    plant = make(startup=100, life={"failing": (FailingStarts(span=ALWAYS),)})
    plant.scale(1)
    plant.advance(2000)
    assert plant.usage.starts == 20


def test_starts_that_fail_make_a_crash_loop_that_a_good_start_ends():
    plant = make(running=1, life={"failing": (FailingStarts(span=span(0, 30)),)})
    plant.scale(4)
    assert not plant.observe().is_crash_looping
    plant.advance(5)
    assert plant.observe().is_crash_looping
    plant.advance(200)
    assert counts(plant).running == 4
    assert not plant.observe().is_crash_looping


def test_a_start_may_fail_some_time_after_it_was_ready():
    plant = make(life={"failing": (FailingStarts(span=span(0, 1), lives_seconds=20),)})
    plant.scale(1)
    plant.advance(24.9)
    assert states(plant) == {"1": "running"}
    plant.advance(25.1)
    assert (states(plant), plant.usage.crashes) == ({"1": "failed"}, 1)


def test_starts_fail_by_their_share_and_only_within_the_span():
    plant = make(life={"failing": (FailingStarts(span=span(100, 101), share=0.3),)})
    plant.scale(1000)
    plant.advance(100)
    assert plant.usage.crashes == 0
    plant.scale(2000)
    plant.advance(105)
    assert 230 < plant.usage.crashes < 370


def test_a_process_that_crashes_after_a_minute_is_restarted_soon():
    plant = make(running=1, startup=1, life={"lifetime": Deterministic(mean_seconds=100)})
    plant.advance(1000)
    assert plant.usage.crashes == plant.usage.starts == 9
    assert 1000 - 9 * 0.61 < plant.usage.process_seconds < 1000 - 9 * 0.39


@pytest.mark.parametrize("lifetime", [10, 100])
def test_processes_that_ran_at_the_beginning_or_for_a_minute_make_no_crash_loop(lifetime):
    plant = make(running=4, life={"lifetime": Deterministic(mean_seconds=lifetime)})
    plant.advance(lifetime + 0.1)
    assert plant.usage.crashes == 4
    assert not plant.observe().is_crash_looping


def test_being_ready_is_not_enough_for_a_start_to_have_gone_well():
    plant = make(startup=1, life={"failing": (FailingStarts(span=ALWAYS, lives_seconds=1),)})
    plant.scale(1)
    plant.advance(300)
    assert 10 < plant.usage.crashes < 20  # the pauses between them grow to half a minute


@pytest.mark.parametrize("returns", [True, False])
def test_a_crash_gives_the_job_in_hand_back_or_loses_it(returns):
    plant = make(running=1, jobs=[(0, 30)], life={"lifetime": Deterministic(mean_seconds=20), "returns_work": returns})
    plant.advance(20)
    tally = plant.queue.tally()
    assert (tally.waiting, tally.lost, plant.usage.jobs_killed) == (float(returns), float(not returns), 0)


def test_a_draining_process_that_dies_is_neither_restarted_nor_a_crash():
    plant = make(running=1, jobs=[(0, 30)], life={"lifetime": Deterministic(mean_seconds=20)}, stop_timeout_seconds=60)
    plant.advance(10)
    plant.scale(0)
    plant.advance(100)
    assert (plant.usage.crashes, plant.usage.starts, plant.usage.process_seconds) == (0, 0, 20)
    assert plant.queue.tally().waiting == 1


def test_a_process_that_waits_for_its_restart_is_not_started_after_a_scale_in():
    plant = make(life={"failing": (FailingStarts(span=ALWAYS),)})
    plant.scale(1)
    plant.advance(5.1)
    plant.scale(0)
    plant.advance(100)
    assert (states(plant), plant.usage.starts, plant.usage.stops) == ({}, 1, 0)


def test_a_new_number_waits_when_the_one_before_it_failed():
    plant = make(life={"failing": (FailingStarts(span=span(0, 200)),)})
    plant.scale(1)
    plant.advance(100)
    plant.scale(0)
    starts = plant.usage.starts
    plant.scale(1)
    plant.advance(110)
    assert (states(plant), plant.usage.starts) == ({"1": "starting"}, starts)


def test_failures_of_a_number_that_is_gone_are_forgotten_after_five_minutes():
    plant = make(life={"failing": (FailingStarts(span=span(0, 1)),)})
    plant.scale(3)
    plant.advance(5)
    plant.scale(0)
    plant.advance(304.9)
    assert plant.observe().is_crash_looping
    plant.advance(305.1)
    assert not plant.observe().is_crash_looping


def test_a_process_that_is_not_ready_in_time_counts_as_failed_until_it_is():
    plant = make(startup=100)
    plant.scale(1)
    plant.advance(60)
    assert states(plant) == {"1": "failed"}
    plant.advance(100)
    assert (states(plant), plant.usage.process_seconds) == ({"1": "running"}, 100)
    plant.scale(2)  # the measured startup allows three times as much now
    plant.advance(180)
    assert states(plant) == {"1": "running", "2": "starting"}


# Faults of hosts and backends


def test_a_lost_host_takes_its_processes_and_gives_them_back():
    plant = make(running=4, life={"lost": (LostHost(span=span(10, 40), share=0.5),)})
    plant.advance(10)
    assert counts(plant) == Counts(desired=4, running=2, unknown=2)
    plant.advance(40)
    assert counts(plant) == Counts(desired=4, running=2, starting=2)
    plant.advance(45)
    assert counts(plant).running == 4
    assert plant.usage.process_seconds == 4 * 45 - 2 * 30
    assert (plant.usage.crashes, plant.usage.starts) == (2, 2)


@pytest.mark.parametrize(("share", "of", "lost"), [(0.07, 100, 7), (0.5, 5, 3), (0.01, 2, 1), (1.0, 3, 3)])
def test_a_lost_host_takes_a_share_rounded_up(share, of, lost):
    plant = make(running=of, life={"lost": (LostHost(span=span(1, 2), share=share),)})
    plant.advance(1)
    assert counts(plant).unknown == lost


def test_what_was_scaled_in_meanwhile_does_not_come_back_with_its_host():
    plant = make(running=2, life={"lost": (LostHost(span=span(10, 40), share=1.0),)})
    plant.advance(20)
    plant.scale(1)
    plant.advance(100)
    assert (states(plant), plant.usage.starts, plant.usage.stops) == ({"1": "running"}, 1, 0)


def test_a_draining_process_on_a_lost_host_is_gone():
    plant = make(running=1, jobs=[(0, 50)], life={"lost": (LostHost(span=span(10, 40), share=1.0),)}, stop_timeout_seconds=90)
    plant.advance(5)
    plant.scale(0)
    plant.advance(100)
    assert (states(plant), plant.usage.starts, plant.usage.process_seconds) == ({}, 0, 10)


def test_a_slow_backend_shows_at_once_what_it_was_told_and_acts_later():
    plant = make(running=1, life={"slow": (SlowStarts(span=span(0, 100), delay_seconds=60),)})
    plant.advance(10)
    plant.scale(3)
    assert counts(plant) == Counts(desired=3, running=1)
    plant.advance(70)
    assert counts(plant) == Counts(desired=3, running=1, starting=2)


def test_a_slow_change_does_not_undo_one_that_was_told_later():
    plant = make(running=1, life={"slow": (SlowStarts(span=span(0, 100), delay_seconds=60),)})
    plant.advance(99)
    plant.scale(5)
    plant.advance(105)
    plant.scale(2)
    plant.advance(200)
    assert (counts(plant), plant.usage.starts) == (Counts(desired=2, running=2), 1)


def test_a_slow_backend_takes_its_changes_one_after_another():
    plant = make(running=1, life={"slow": (SlowStarts(span=ALWAYS, delay_seconds=60),)})
    plant.scale(2)
    plant.advance(30)
    plant.scale(4)
    plant.advance(65)
    assert counts(plant) == Counts(desired=4, running=2)
    plant.advance(95)
    assert counts(plant) == Counts(desired=4, running=4)


# Calls


def test_a_connection_calls_at_a_shared_socket_until_a_process_is_ready():
    plant = make(jobs=[(10, 1)], **SHARED)
    plant.advance(9)
    assert plant.is_at_zero
    assert not plant.observe().is_called
    plant.advance(10)
    assert plant.observe().is_called
    plant.scale(1)
    assert plant.observe().is_called
    assert not plant.is_at_zero
    plant.advance(15)
    assert not plant.observe().is_called


def test_nobody_calls_where_no_socket_is_shared():
    plant = make(jobs=[(1, 1)])
    plant.advance(10)
    assert not plant.observe().is_called


def test_a_type_whose_last_process_drains_is_at_zero():
    plant = make(running=1, jobs=[(0, 5), (1, 1)], **SHARED)
    plant.advance(2)
    plant.scale(0)
    assert (counts(plant).draining, plant.is_at_zero, plant.observe().is_called) == (1, True, True)


# Laws


class Watched(RequestQueue):
    """Notes when processes come and go; the plant has to add up the same time."""

    def __init__(self, blocks, outcomes):
        super().__init__(blocks, outcomes)
        self.opened, self.seconds, self.now = {}, 0.0, 0.0

    def advance(self, until):
        super().advance(until)
        self.now = until

    def open(self, process, slots):
        super().open(process, slots)
        self.opened[process] = self.now

    def close(self, process, *, returns):
        self.seconds += self.now - self.opened.pop(process)
        return super().close(process, returns=returns)


JOBS = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60)), max_size=30).map(sorted)
CHANGES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 6)), max_size=15)


@dataclass
class Lives:
    """The processes that were observed alive, second by second."""

    plant: Plant
    seconds: float = 0.0

    def go(self, until):
        while self.plant.now < until:
            now = counts(self.plant)
            self.seconds += now.running + now.starting + now.draining
            self.plant.advance(self.plant.now + 1)


class Stepping(RequestQueue):
    """Notes how far it was advanced."""

    def advance(self, until):
        super().advance(until)
        self.moments = [*getattr(self, "moments", []), until]


def test_time_passes_in_the_queue_when_somebody_looks_and_every_minute():
    queue = queue_of([(1, 1)], Stepping)
    plant = Plant(process_type(), Life(startup=Deterministic(mean_seconds=5)), queue, np.random.default_rng(1), 1)
    for at in range(5, 100, 5):
        plant.advance(at)
    assert queue.moments == [65]
    assert plant.queue.tally().at == 95


@given(jobs=JOBS, changes=CHANGES, running=st.integers(0, 4), slots=st.integers(1, 3))
def test_cost_is_what_an_observer_of_every_second_counts(jobs, changes, running, slots):
    plant = make(running, jobs, slots=slots, stop_timeout_seconds=20)
    lives = Lives(plant)
    for seconds, target in changes:
        lives.go(plant.now + seconds)
        plant.scale(target)
    lives.go(plant.now + 300)
    assert plant.usage.process_seconds == pytest.approx(lives.seconds)
    plant.queue.check()


ROUGH = Life(
    startup=Exponential(mean_seconds=5),
    lifetime=Exponential(mean_seconds=80),
    failing=(FailingStarts(span=span(20, 60), share=0.5), FailingStarts(span=span(80, 120), share=0.5, lives_seconds=7)),
    lost=(LostHost(span=span(40, 90), share=0.4), LostHost(span=span(70, 100), share=0.9)),
    slow=(SlowStarts(span=span(30, 50), delay_seconds=25),),
)


@given(jobs=JOBS, changes=CHANGES, seed=st.integers(0, 99), singleton=st.booleans(), returns=st.booleans())
def test_no_life_loses_count_of_processes_or_requests(jobs, changes, seed, singleton, returns):
    queue = queue_of(jobs, Watched)
    life = replace(ROUGH, returns_work=returns)
    plant = Plant(process_type(slots=2, stop_timeout_seconds=15, is_singleton=singleton), life, queue, np.random.default_rng(seed), 2)
    for seconds, target in [*changes, (300, 0)]:
        plant.advance(plant.now + seconds)
        plant.scale(target)
        usage, now = plant.usage, counts(plant)
        still_open = sum(plant.now - at for at in queue.opened.values())
        assert usage.ready_seconds == pytest.approx(queue.seconds + still_open)
        assert usage.process_seconds >= usage.ready_seconds - 1e-9
        assert len(queue.opened) == plant.ready == now.running + now.draining
        left = 2 + usage.starts - usage.stops - usage.crashes
        assert now.running <= left <= now.running + now.starting + now.failed
        assert min(now.running, now.starting, now.draining, now.failed, now.unknown) >= 0
        queue.check()
    plant.advance(plant.now + 60)
    assert states(plant) == {}
