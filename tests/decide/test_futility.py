"""Stage 6: more processes that complete no more work."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from autoscaler.decide.memory import Memory
from autoscaler.decide.pipeline import decide
from autoscaler.decide.settings import DirectionLimits, NamedPolicy, RateLimit, TypeSettings
from autoscaler.model import Counts, MissingReadingError, Observation, ProcessType, Progress, Recommendation

NEVER = float("inf")
SAID = "look at what the processes wait for"


@dataclass
class Plant:
    """A queue whose policy wants half as many processes again, and two at least, for as long as jobs wait."""

    rate: float = 10.0  # jobs a second that one process does
    limit: float = NEVER  # jobs a second that what lies behind the processes lets through
    arrival: float = 100.0
    waiting: float = 500.0
    standing: float = 0.0  # jobs that are always in transit
    window: float = 30.0  # of the completions
    poll: float = 5.0
    job_seconds: float | None = 0.1
    is_silent: bool = False
    running: int = 4
    done: list[tuple[float, float]] = field(default_factory=list)
    told: tuple[float, float] = (0.0, 0.0)

    def recommend(self, observation, _memory):
        wants = self.waiting + self.standing > 1
        return Recommendation(max(2, observation.counts.desired * 3 // 2) if wants else 1, f"{self.waiting:.0f} wait")

    def progress(self, _observation, _memory):
        if self.is_silent:
            raise MissingReadingError("done", "down")
        at, completed = self.told
        return Progress(self.waiting + self.standing, completed, at, self.job_seconds, self.window)

    def run(self, running, now, seconds):
        self.running = running
        completed = min(running * self.rate, self.limit, self.arrival + self.waiting / seconds)
        self.waiting = max(0.0, self.waiting + (self.arrival - completed) * seconds)
        self.done.append((now, completed))
        if now >= self.told[0] + self.poll:
            recent = [one for at, one in self.done if at > now - self.window]
            self.told = (now, sum(recent) / len(recent))


@dataclass
class Play:
    """One type over a plant, on virtual time; the sizes and reasons of every tick."""

    plant: Plant
    futility: str = "stop"
    interval: float = 5.0
    startup: float = 0.0
    desired: int = 4
    at_most: tuple[RateLimit, ...] = (RateLimit(25, "percent", 60.0),)

    def __post_init__(self):
        self.now, self.memory, self.sizes, self.reasons, self.ready_at = 0.0, Memory(), [], [], [0.0] * self.desired

    def run(self, seconds):
        settings = TypeSettings(
            process_type=ProcessType(name="worker", minimum=1, maximum=400, interval_seconds=self.interval),
            policies=(NamedPolicy("plant", self.plant),),
            scale_out=DirectionLimits(at_most=self.at_most),
            futility=self.futility,
        )
        for _ in range(int(seconds / self.interval)):
            self.now += self.interval
            running = sum(ready <= self.now for ready in self.ready_at)
            self.plant.run(running, self.now, self.interval)
            counts = Counts(self.desired, running, starting=self.desired - running)
            decision, self.memory = decide(settings, Observation(self.now, 1e9 + self.now, settings.process_type, counts), self.memory)
            self.set(decision.target)
            self.sizes.append(decision.target)
            self.reasons.append(decision.reason)
        return self

    def set(self, size):
        self.ready_at = self.ready_at[:size] + [self.now + self.startup] * (size - self.desired)
        self.desired = size

    @property
    def was_called_futile(self):
        return any(SAID in reason for reason in self.reasons)


def test_dead_database_behind_the_workers_is_called_futile():
    play = Play(Plant(limit=30.0), "warn").run(600)

    assert SAID in play.reasons[-1]
    assert play.sizes[-1] > 30


def test_nothing_completed_at_all_is_futile_too():
    assert Play(Plant(limit=0.0), "warn").run(600).was_called_futile


@pytest.mark.parametrize("window", [5.0, 30.0, 55.0, 60.0, 120.0])
def test_stop_holds_the_type_soon_whatever_the_window_of_the_completions(window):
    play = Play(Plant(limit=30.0, window=window)).run(1200)

    assert play.sizes[-1] <= 20
    assert "one more is tried in" in play.reasons[-1]


@pytest.mark.parametrize("interval", [1.0, 5.0, 60.0])
def test_stop_holds_at_every_interval(interval):
    assert Play(Plant(limit=30.0, poll=interval), interval=interval).run(3600).sizes[-1] <= 20


def test_stop_holds_where_no_limit_has_a_period():
    play = Play(Plant(limit=30.0, window=5.0), at_most=()).run(600)

    assert "one more is tried in" in play.reasons[-1]


def test_stop_tries_one_more_process_every_ten_minutes():
    play = Play(Plant(limit=30.0)).run(4000)
    grown = [tick for tick in range(120, 800) if play.sizes[tick] > play.sizes[tick - 1]]

    assert [play.sizes[tick] - play.sizes[tick - 1] for tick in grown] == [1] * len(grown)
    assert len(grown) in {5, 6}
    assert all(later - earlier >= 120 for earlier, later in pairwise(grown))


def test_stop_goes_on_probing_slowly_while_the_completions_are_missing():
    play = Play(Plant(limit=30.0)).run(600)
    held = play.sizes[-1]
    play.plant.is_silent = True
    play.run(1800)

    assert play.sizes[-1] <= held + 4


def test_stopped_type_goes_on_as_soon_as_work_is_completed_again():
    play = Play(Plant(limit=30.0)).run(600)
    held = play.sizes[-1]
    play.plant.limit, play.plant.arrival = NEVER, 1000.0
    play.run(600)

    assert "one more is tried in" in play.reasons[119]
    assert play.sizes[-1] > 3 * held


@pytest.mark.parametrize("poll", [5.0, 15.0, 60.0])
@pytest.mark.parametrize("startup", [0.0, 30.0])
@pytest.mark.parametrize("window", [5.0, 60.0])
def test_flash_crowd_of_a_quarter_a_minute_is_not_futile(poll, startup, window):
    play = Play(Plant(poll=poll, window=window), startup=startup, desired=8)
    for minute in range(16):
        play.plant.arrival = 100.0 * 1.25**minute
        play.run(60)

    assert not play.was_called_futile
    assert play.sizes[-1] > 100


def test_long_jobs_of_unknown_time_are_given_theirs():
    plant = Plant(rate=1 / 600, arrival=0.1, waiting=500.0, window=60.0, job_seconds=None)
    play = Play(plant, at_most=(RateLimit(50, "percent", 300.0),), desired=8).run(3600)

    assert not play.was_called_futile


def test_what_was_in_vain_is_forgotten_after_a_scale_in():
    play = Play(Plant(limit=30.0)).run(600)
    in_vain = play.memory.futility.in_vain
    play.plant.arrival, play.plant.waiting, play.plant.standing = 5.0, 0.0, 1.0
    play.run(900)

    assert in_vain >= 2
    assert (play.sizes[-1], play.memory.futility) == (1, None)


def test_size_set_by_hand_ends_what_was_watched():
    play = Play(Plant(rate=10.0, window=5.0, arrival=1000.0), startup=30.0, at_most=(RateLimit(100, "percent", 60.0),)).run(10)
    play.set(2)
    play.run(300)

    assert not play.was_called_futile


def test_few_jobs_that_are_always_in_transit_are_no_backlog():
    play = Play(Plant(arrival=100.0, waiting=0.0, standing=2.0), desired=20, at_most=(RateLimit(50, "percent", 120.0),)).run(1200)

    assert not play.was_called_futile


def test_without_waiting_jobs_nothing_is_in_vain():
    assert not Play(Plant(limit=30.0, arrival=0.0, waiting=0.0)).run(500).was_called_futile


@pytest.mark.parametrize("lost", [float("nan"), float("inf")])
def test_unreadable_completions_say_nothing(lost):
    play = Play(Plant(limit=30.0, window=1e6))
    play.plant.done = [(0.0, lost)]

    assert not play.run(300).was_called_futile


def test_small_scale_out_is_not_watched():
    play = Play(Plant(limit=30.0), "warn", at_most=(RateLimit(1, "processes", 60.0),)).run(900)

    assert play.sizes[-1] > 15  # the step from 4 to 5 is a quarter, those after it are less
    assert not play.was_called_futile


def test_no_process_is_tried_that_nobody_wants():
    play = Play(Plant(limit=30.0)).run(600)
    play.plant.recommend = lambda observation, _memory: Recommendation(observation.counts.desired, "enough")
    play.run(1800)

    assert play.sizes[-1] == play.sizes[119]


def test_two_useful_scale_outs_that_are_judged_at_once_are_not_in_vain():
    plant = Plant(arrival=1e5, window=5.0, poll=60.0)

    assert not Play(plant, "warn", at_most=(RateLimit(50, "percent", 15.0),)).run(300).was_called_futile


def test_scale_out_is_given_the_time_that_a_job_is_said_to_take():
    assert not Play(Plant(limit=30.0, window=5.0, job_seconds=600.0), "warn").run(550).was_called_futile


def test_stop_takes_no_process_away():
    sizes = Play(Plant(limit=30.0)).run(2000).sizes

    assert sizes == sorted(sizes)
