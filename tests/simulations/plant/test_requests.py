from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler_simulations.load.arrivals import Block
from autoscaler_simulations.plant.conservation import ConservationError
from autoscaler_simulations.plant.requests import PlantError, RequestQueue


class Recorder:
    """Keeps what a queue says of its requests."""

    def __init__(self):
        self.added, self.retracted, self.refused, self.batches = [], [], [], 0

    def add(self, arrivals, waits, services):
        self.batches += 1
        self.added += zip(arrivals.tolist(), waits.tolist(), services.tolist(), strict=True)

    def retract(self, arrival, wait, service):
        self.retracted.append((arrival, wait, service))

    def refuse(self, at):
        self.refused.append(at)

    def leave_waiting(self, arrivals, now):
        self.left = (arrivals.tolist(), now)

    def said(self):
        return sorted(self.added), sorted(self.retracted), sorted(self.refused)


@dataclass
class Slot:
    process: int
    free_at: float
    job: tuple | None = None  # arrival, start, service
    is_draining: bool = False


@dataclass
class Naive:
    """The same queue, event by event: ends come before arrivals of the same moment, and whoever can start starts after each event."""

    jobs: list
    limit: int | None
    now: float = 0.0
    line: list = field(default_factory=list)
    slots: list = field(default_factory=list)
    told: Recorder = field(default_factory=Recorder)
    completed: int = 0
    waiting_seconds: float = 0.0
    busy_seconds: float = 0.0
    open_slot_seconds: float = 0.0

    def advance(self, until):
        while (at := min([until, *[slot.free_at for slot in self.busy()], *[arrival for arrival, _ in self.jobs[:1]]])) < until:
            self.happen(at)
        self.happen(until)

    def happen(self, at):
        self.waiting_seconds += len(self.line) * (at - self.now)
        self.busy_seconds += len(self.busy()) * (at - self.now)
        self.open_slot_seconds += len(self.open_slots()) * (at - self.now)
        self.now = at
        for slot in self.busy():
            if slot.free_at <= at:
                slot.job, self.completed = None, self.completed + 1
        self.start()
        while self.jobs and self.jobs[0][0] <= at:
            self.arrive(self.jobs.pop(0))

    def arrive(self, job):
        is_free = any(slot.job is None for slot in self.open_slots())
        if not is_free and self.limit is not None and len(self.line) >= self.limit:
            return self.told.refuse(job[0])
        self.line.append(job)
        return self.start()

    def start(self):
        while self.line and (idle := [slot for slot in self.open_slots() if slot.job is None]):
            slot, (arrival, service) = min(idle, key=lambda each: (each.free_at, each.process)), self.line.pop(0)
            slot.job, slot.free_at = (arrival, self.now, service), self.now + service
            self.told.added.append((arrival, self.now - arrival, service))
            if slot.free_at <= self.now:
                slot.job, self.completed = None, self.completed + 1

    def busy(self):
        return [slot for slot in self.slots if slot.job]

    def open_slots(self):
        return [slot for slot in self.slots if not slot.is_draining]

    def open(self, process, number):
        self.slots += [Slot(process, self.now) for _ in range(number)]
        self.start()

    def drain(self, process):
        mine = [slot for slot in self.slots if slot.process == process]
        for slot in mine:
            slot.is_draining = True
        return max([slot.free_at for slot in mine if slot.job], default=self.now)

    def close(self, process, *, returns):
        killed = [slot.job for slot in self.slots if slot.process == process and slot.job]
        self.slots = [slot for slot in self.slots if slot.process != process]
        for arrival, start, service in killed:
            self.told.retract(arrival, start - arrival, service)
            if not returns:
                self.told.refuse(arrival)
        back = [(arrival, service) for arrival, _, service in sorted(killed)] if returns else []
        self.line = sorted([*back, *self.line], key=lambda job: job[0])
        self.start()
        return len(killed)


def blocks_of(jobs, size=1000, ends=1e9):
    """Cut jobs into consecutive blocks, each followed by an empty one."""
    begins = 0.0
    for first in range(0, max(1, len(jobs)), size):
        part = np.array(jobs[first : first + size]).reshape(-1, 2)
        until = jobs[first + size][0] if first + size < len(jobs) else ends
        yield Block(begins, until, part[:, 0], part[:, 1])
        yield Block(until, until, np.empty(0), np.empty(0))
        begins = until


def call(queue, name, *arguments):
    if name == "close":
        return queue.close(arguments[0], returns=arguments[1])
    return getattr(queue, name)(*arguments)


EIGHTHS = st.integers(0, 40).map(lambda number: number / 8)  # so that many things fall on the same moment
SECONDS = EIGHTHS | st.floats(0, 5, allow_subnormal=False)
PROCESSES = st.integers(0, 3)
CALLS = st.one_of(
    st.tuples(st.just("pass"), SECONDS),
    st.tuples(st.just("open"), PROCESSES, st.integers(1, 3)),
    st.tuples(st.just("drain"), PROCESSES),
    st.tuples(st.just("close"), PROCESSES, st.booleans()),
)
JOBS = st.lists(st.tuples(SECONDS.map(lambda gap: gap / 2), SECONDS), max_size=40).map(
    lambda jobs: list(zip(np.cumsum([gap for gap, _ in jobs]).tolist(), [service for _, service in jobs], strict=True))
)


def hold_to_naive(jobs, calls, size, limit):
    told, naive = Recorder(), Naive(list(jobs), limit)
    queue, now = RequestQueue(blocks_of(jobs, size), told, limit=limit), 0.0
    for name, *arguments in [("pass", 0.0), *calls]:
        now += arguments[0] if name == "pass" else 0.0
        asked = ("advance", now) if name == "pass" else (name, *arguments)

        assert call(queue, *asked) == call(naive, *asked)

        queue.check()
        tally = queue.tally()
        assert (told.said(), tally.waiting, tally.busy) == (naive.told.said(), len(naive.line), len(naive.busy()))
        assert (tally.completed, tally.open_slots) == (naive.completed, len(naive.open_slots()))
        assert tally.oldest_wait == (now - naive.line[0][0] if naive.line else 0.0)
        assert queue.waiting_arrivals().tolist() == [arrival for arrival, _ in naive.line]
        areas = (tally.waiting_seconds, tally.busy_seconds, tally.open_slot_seconds)
        assert areas == pytest.approx((naive.waiting_seconds, naive.busy_seconds, naive.open_slot_seconds), rel=1e-9, abs=1e-9)


@given(JOBS, st.lists(CALLS, max_size=40), st.integers(1, 7), st.none() | st.integers(0, 4))
def test_every_life_cycle_runs_as_event_by_event(jobs, calls, size, limit):
    hold_to_naive(jobs, calls, size, limit)


def random_calls(chance, number):
    yield from ((("open", process, 2)) for process in range(3))
    for _ in range(number):
        process = int(chance.integers(5))
        other = [("open", process, int(chance.integers(1, 4))), ("drain", process), ("close", process, bool(chance.random() < 0.7))]
        yield ("pass", float(chance.integers(1, 9)) / 8)
        yield from [other[chance.integers(3)]] * int(chance.random() < 0.4)


@pytest.mark.parametrize("limit", [None, 0, 2])
@pytest.mark.parametrize("seed", range(12))
def test_long_life_cycles_run_as_event_by_event(seed, limit):
    chance = np.random.default_rng(seed)
    arrivals = np.cumsum(chance.integers(0, 4, 200)) / 8
    jobs = list(zip(arrivals.tolist(), (chance.integers(0, 24, 200) / 8).tolist(), strict=True))

    hold_to_naive(jobs, random_calls(chance, 80), 1 + seed, limit)


@given(JOBS, st.lists(SECONDS, max_size=10), st.integers(1, 7))
def test_how_often_time_is_advanced_changes_nothing(jobs, stops, size):
    often, once = Recorder(), Recorder()
    for told, steps in ((often, sorted(stops)), (once, [])):
        queue = RequestQueue(blocks_of(jobs, size), told)
        queue.open(0, 2)
        for at in [*steps, 100.0]:
            queue.advance(at)
        queue.check()

    assert often.said() == once.said()


@pytest.fixture
def told():
    return Recorder()


def queue_of(told, jobs, **options):
    return RequestQueue(blocks_of(jobs), told, **options)


def random_jobs(number, seed=5, service=0.8):
    chance = np.random.default_rng(seed)
    return list(zip(np.cumsum(chance.exponential(1.0, number)).tolist(), chance.exponential(service, number).tolist(), strict=True))


def test_without_slots_everything_waits(told):
    queue = queue_of(told, [(1.0, 1.0), (2.0, 1.0)])
    queue.advance(5.0)

    tally = queue.tally()
    assert (tally.arrived, tally.waiting, tally.started, tally.oldest_wait, tally.waiting_seconds) == (2, 2, 0, 4.0, 7.0)


def test_one_slot_follows_lindleys_recursion(told):
    jobs, wait, waits = random_jobs(20_000), 0.0, []
    for (arrival, service), (following, _) in zip(jobs, [*jobs[1:], (1e6, 0.0)], strict=True):
        waits.append(wait)
        wait = max(0.0, wait + service - (following - arrival))
    queue = RequestQueue(blocks_of(jobs, 3000), told)
    queue.open(0, 1)
    queue.advance(1e6)
    queue.check()

    assert [wait for _, wait, _ in told.added] == pytest.approx(waits, abs=1e-6)


def test_a_new_process_takes_who_waits_longest_at_once(told):
    queue = queue_of(told, [(1.0, 1.0), (2.0, 1.0)])
    queue.advance(5.0)
    queue.open(7, 1)

    queue.flush()
    assert (told.added, queue.tally().busy, queue.tally().waiting) == ([(1.0, 4.0, 1.0)], 1, 1)


def test_a_draining_process_ends_its_job_and_takes_no_other(told):
    queue = queue_of(told, [(1.0, 6.0), (2.0, 1.0)])
    queue.open(0, 2)
    queue.advance(1.5)

    assert (queue.drain(0), queue.tally().open_slots) == (7.0, 0)
    queue.advance(7.0)
    assert (queue.tally().completed, queue.tally().waiting, queue.close(0, returns=True)) == (1, 1, 0)


def test_jobs_of_a_killed_process_wait_again_at_the_head(told):
    queue = queue_of(told, [(1.0, 9.0), (2.0, 9.0), (3.0, 9.0)])
    queue.open(0, 2)
    queue.advance(5.0)

    assert queue.close(0, returns=True) == 2
    assert (queue.waiting_arrivals().tolist(), queue.tally().returned) == ([1.0, 2.0, 3.0], 2)
    queue.open(1, 1)
    queue.flush()
    assert told.added[-1] == (1.0, 4.0, 9.0)
    assert told.retracted == [(1.0, 0.0, 9.0), (2.0, 0.0, 9.0)]


def test_jobs_of_a_killed_process_are_lost_when_it_does_not_return_them(told):
    queue = queue_of(told, [(1.0, 9.0)])
    queue.open(0, 1)
    queue.advance(5.0)
    queue.close(0, returns=False)

    assert (queue.tally().lost, queue.tally().busy_seconds, told.retracted, told.refused) == (1, 4.0, [(1.0, 0.0, 9.0)], [1.0])


def test_an_arrival_that_finds_the_queue_full_is_dropped(told):
    queue = queue_of(told, [(1.0, 9.0), (2.0, 1.0), (3.0, 1.0)], limit=1)
    queue.open(0, 1)
    queue.advance(4.0)

    assert (told.refused, queue.tally().dropped, queue.tally().waiting) == ([3.0], 1, 1)


def test_outcomes_are_told_by_the_thousand(told):
    queue = queue_of(told, random_jobs(50_000))
    queue.open(0, 2)
    for at in range(0, 60_000, 10):
        queue.advance(float(at))
    queue.check()

    assert (len(told.added), told.batches) == (50_000, 50_000 // 8192 + 1)


def test_refused_ones_alone_are_also_handed_over(told):
    queue = queue_of(told, random_jobs(50_000), limit=0)
    queue.advance(60_000.0)

    assert (len(told.refused), len(queue._refused) < 10_000) == (50_000, True)
    queue.check()


def test_who_still_waits_at_the_end_is_told_of(told):
    queue = queue_of(told, [(1.0, 9.0), (2.0, 9.0), (3.0, 9.0)])
    queue.open(0, 1)
    queue.advance(5.0)
    queue.finish()

    assert (told.added, told.left) == ([(1.0, 0.0, 9.0)], ([2.0, 3.0], 5.0))


def test_time_does_not_go_back(told):
    queue = queue_of(told, [])
    queue.advance(5.0)

    with pytest.raises(PlantError, match="from 5 s to 4 s"):
        queue.advance(4.0)


MISTAKES = {
    "a wait too long": lambda queue: setattr(queue._begun, "waited_seconds", queue._begun.waited_seconds + 1e-3),
    "a job forgotten by its slot": lambda queue: queue._slots._open.pop(),
    "a waiting one skipped": lambda queue: setattr(queue._inflow, "taken", queue._inflow.taken + 1),
    "a return forgotten": lambda queue: setattr(queue, "_returned", queue._returned - 1),
    "an arrival forgotten": lambda queue: setattr(queue._inflow, "_before", queue._inflow._before - 1),
    "work undone though done": lambda queue: setattr(queue, "_undone_seconds", queue._undone_seconds + 1e-3),
    "one dropped twice": lambda queue: setattr(queue, "_dropped", queue._dropped + 1),
    "a job killed that was not there": lambda queue: queue._ledger.kill(np.array([17.0])),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_books_is_found(told, mistake):
    queue = queue_of(told, random_jobs(1000, service=2.0))
    queue.open(0, 1)
    queue.open(1, 1)
    queue.advance(200.0)
    queue.drain(1)
    queue.advance(400.0)
    queue.close(0, returns=True)
    queue.open(2, 1)
    queue.advance(600.0)
    queue.check()

    with pytest.raises(ConservationError):
        (mistake(queue), queue.check())
