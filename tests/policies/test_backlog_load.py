"""What the backlog policy measures of its load, and when it believes that."""

import json
import sys
from fractions import Fraction

import pytest

from autoscaler.model import Counts, Missing, Observation, ProcessType, Reading, ReadyCount
from autoscaler_policies.backlog import Backlog
from autoscaler_policies.backlog_load import finite, job_time, mean

WORKER = ProcessType(name="worker", minimum=0, maximum=10_000)
MEASURED = Backlog(waiting="waiting", busy="busy", completions="completions")
KNOWN = Backlog(waiting="waiting", busy="busy", arrival="arrival", job_takes_seconds=1.0)


def observe(now, counts, history, **values):
    """Observe at ``now``; completions are averaged over the last 60 s."""
    readings = {name: Reading(name, float(value), now, 60.0 if name == "completions" else 0.0) for name, value in values.items()}
    return Observation(now, 0.0, WORKER, counts, readings, startup_seconds=10.0, ready_history=history)


def ready(*counts):
    return tuple(ReadyCount(since, running) for since, running in counts)


class Plant:
    """A queue of jobs of 1 s, second by second, and processes that are ready 10 s after they were asked for."""

    def __init__(self, arriving: int) -> None:
        self.now, self.waiting, self.busy, self.starting = 0, 0, arriving, {}
        self.arrived, self.completed, self.history = [arriving] * 60, [arriving] * 60, [ReadyCount(0.0, arriving)]

    def scale(self, processes):
        running = self.history[-1].running
        self.starting = {at: min(wanted, processes) for at, wanted in self.starting.items()}
        if processes > max(self.starting.values(), default=running):
            self.starting[self.now + 10] = processes
        self._be_ready(min(running, processes))

    def run(self, arriving):
        self.now += 1
        self._be_ready(max(self.history[-1].running, self.starting.pop(self.now, 0)))
        self.busy = min(self.history[-1].running, self.waiting + arriving)
        self.waiting += arriving - self.busy
        self.arrived, self.completed = [*self.arrived[1:], arriving], [*self.completed[1:], self.busy]

    def observe(self):
        running = self.history[-1].running
        counts = Counts(max(self.starting.values(), default=running), running)
        rates = {"completions": sum(self.completed) / 60, "arrival": sum(self.arrived) / 60}
        return observe(float(self.now), counts, tuple(self.history), waiting=self.waiting, busy=self.busy, **rates)

    def _be_ready(self, running):
        if running != self.history[-1].running:
            self.history.append(ReadyCount(float(self.now), running))


def follow(plant, arrivals):
    """Scale a plant by what is measured every 5 s; yield that and what is wanted of the same load when all of it is known."""
    memory = None
    for second, arriving in enumerate(arrivals, 1):
        plant.run(arriving)
        if second % 5 == 0:
            answer = MEASURED.recommend(plant.observe(), memory)
            memory = json.loads(json.dumps(answer.memory))
            yield answer.processes, KNOWN.recommend(plant.observe(), None).processes
            plant.scale(answer.processes)


@pytest.mark.parametrize("burst", [[100], [10_000], [50] * 120, [7] * 30, [20, 200] * 30])
def test_the_wish_stays_near_the_true_need_through_a_burst_and_back(burst):
    wishes = list(follow(Plant(arriving=5), [5] * 100 + burst + [5] * 300))

    assert [pair for pair in wishes if not 0.8 * pair[1] <= pair[0] <= 1.2 * pair[1]] == []
    assert wishes[-1] == (5, 5)


def test_a_queue_found_at_the_start_is_worked_off_without_an_explosion():
    """10,000 / 60 s and 5/s are 172 of 1 s each; 172 busy for 14 that were completed a second would be 12 s."""
    plant = Plant(arriving=5)
    plant.waiting = 10_000
    wishes = list(follow(plant, [5] * 600))

    assert wishes[0] == (172, 172)
    assert [pair for pair in wishes if not 0.8 * pair[1] <= pair[0] <= 1.2 * pair[1]] == []


@pytest.mark.parametrize(("now", "seconds"), [(69.0, 1.0), (70.0, 2.0)])
def test_a_job_time_is_believed_once_its_whole_window_lies_after_the_change(now, seconds):
    doubled = observe(now, Counts(20, 20), ready((0.0, 5), (10.0, 20)), waiting=0, busy=20, completions=10)

    assert MEASURED.recommend(doubled, {"job_seconds": 1.0}).memory["job_seconds"] == seconds


def test_one_process_of_many_that_comes_and_goes_does_not_matter():
    history = ready((0.0, 5), (10.0, 100), (40.0, 99), (65.0, 100), (68.0, 90))

    assert MEASURED.recommend(observe(70.0, Counts(90, 90), history[:-1], waiting=0, busy=90, completions=45), None).memory["job_seconds"] == 2.0
    assert isinstance(MEASURED.recommend(observe(70.0, Counts(90, 90), history, waiting=0, busy=90, completions=45), None), Missing)


def test_why_no_job_time_is_known_yet_is_told():
    answer = MEASURED.recommend(observe(15.0, Counts(5, 5), ready((0.0, 0), (10.0, 5)), waiting=9, busy=5, completions=1), None)

    assert answer.cause == "other processes were ready within the 60 s of completions, so the time one job takes is not known"


def test_jobs_that_appear_between_two_close_samples_are_no_rate():
    """Fifty within a millisecond are not 50,000 a second."""
    memory = MEASURED.recommend(observe(0.0, Counts(5, 5), (), waiting=0, busy=5, completions=5), None).memory
    close, later = (observe(now, Counts(5, 5), (), waiting=50, busy=5, completions=5) for now in (0.001, 5.0))

    assert MEASURED.recommend(close, memory).reason == "5/s / 1/s + 50 waiting / (1/s x 60 s) = 5.83 -> 6"
    assert MEASURED.recommend(later, memory).reason == "15/s / 1/s + 50 waiting / (1/s x 60 s) = 15.83 -> 16"


def test_no_progress_is_told_from_two_close_samples():
    policy = Backlog(waiting="waiting", arrival="arrival", per_process=10)
    memory = policy.recommend(observe(0.0, Counts(5, 5), (), waiting=50, arrival=5), None).memory

    assert policy.progress(observe(0.001, Counts(5, 5), (), waiting=0, arrival=5), memory) is None


@pytest.mark.parametrize(
    ("samples", "span", "average"),
    [([], 60.0, 4.0), ([[0.0, 2.0]], 60.0, 3.0), ([[0.0, 2.0], [5.0, 2.0]], 60.0, 2.5), ([[-60.0, 0.0], [0.0, 4.0]], 10.0, 4.0)],
)
def test_a_mean_is_taken_over_what_is_known_of_the_span(samples, span, average):
    assert mean(samples, 10.0, 4.0, span) == average


def test_less_than_one_busy_process_tells_the_time_of_a_job_too():
    assert job_time(0.5, 2.0) == 0.25


@pytest.mark.parametrize("sign", [1, -1])
def test_what_no_float_holds_becomes_the_largest(sign):
    assert finite(Fraction(sign * 10**400)) == sign * sys.float_info.max


def test_mean_does_not_reach_across_a_gap():
    assert mean([[0.0, 100.0]], 130.0, 10.0, 60.0) == 10.0
