"""Stage 6: more processes that complete no more work."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from autoscaler.decide.memory import Memory
from autoscaler.decide.pipeline import decide
from autoscaler.decide.settings import DirectionLimits, NamedPolicy, RateLimit, TypeSettings
from autoscaler.model import Counts, Observation, ProcessType, Progress, Recommendation

STEP = 5.0
WINDOW = 30.0


@dataclass
class Plant:
    """A queue whose policy wants half as many processes again for as long as jobs wait."""

    jobs_per_process: float = 10.0
    limit: float = float("inf")  # jobs a second that what lies behind the processes lets through
    arrival: float = 100.0
    waiting: float = 500.0
    running: int = 4
    done: list[float] = field(default_factory=list)

    def recommend(self, observation, _memory):
        return Recommendation(observation.counts.desired * 3 // 2 if self.waiting > 0 else 1, f"{self.waiting:.0f} wait")

    def progress(self, _observation, _memory):
        return Progress(self.waiting, sum(self.done[-6:]) / len(self.done[-6:]), job_seconds=0.1, window_seconds=WINDOW)

    def run(self, desired):
        self.running = desired
        self.done.append(min(self.running * self.jobs_per_process, self.limit, self.arrival + self.waiting / STEP))
        self.waiting = max(0.0, self.waiting + (self.arrival - self.done[-1]) * STEP)


def play(plant, futility, ticks, *, events=()):
    settings = TypeSettings(
        process_type=ProcessType(name="worker", minimum=1, maximum=400),
        policies=(NamedPolicy("plant", plant),),
        scale_out=DirectionLimits(0.0, 0.0, (RateLimit(25, "percent", 60.0),)),
        futility=futility,
    )
    memory, desired, changes = Memory(), 4, dict(events)
    for tick in range(ticks):
        for name, value in changes.get(tick, {}).items():
            setattr(plant, name, value)
        plant.run(desired)
        observation = Observation(tick * STEP, 1e9 + tick * STEP, settings.process_type, Counts(desired, plant.running))
        decision, memory = decide(settings, observation, memory)
        desired = decision.target
        yield decision


def test_dead_database_behind_the_workers_is_called_futile():
    decisions = list(play(Plant(limit=30.0), "warn", 120))

    assert "look at what the processes wait for" in decisions[-1].reason
    assert decisions[-1].target > 40


def test_nothing_completed_at_all_is_futile_too():
    assert "look at what the processes wait for" in list(play(Plant(limit=0.0), "warn", 60))[-1].reason


def test_stop_holds_the_type_after_two_scale_outs_in_vain():
    decisions = list(play(Plant(limit=30.0), "stop", 100))

    assert decisions[-1].target <= 8
    assert decisions[-1].action == "hold"
    assert "one more is tried in" in decisions[-1].reason


def test_stop_tries_one_more_process_every_ten_minutes():
    sizes = [decision.target for decision in play(Plant(limit=30.0), "stop", 600)]
    grown = [tick for tick in range(120, 600) if sizes[tick] > sizes[tick - 1]]

    assert [sizes[tick] - sizes[tick - 1] for tick in grown] == [1] * len(grown)
    assert len(grown) == 4
    assert all(later - earlier >= 120 for earlier, later in pairwise(grown))


def test_stopped_type_goes_on_as_soon_as_work_is_completed_again():
    decisions = list(play(Plant(limit=30.0), "stop", 200, events=[(120, {"limit": float("inf"), "arrival": 1000.0})]))

    assert decisions[119].action == "hold"
    assert decisions[199].target > 3 * decisions[119].target


def test_flash_crowd_of_a_quarter_a_minute_is_not_futile():
    crowd = [(12 * minute, {"arrival": 100.0 * 1.25**minute}) for minute in range(20)]
    decisions = list(play(Plant(), "stop", 240, events=crowd))

    assert not any("look at what" in decision.reason for decision in decisions)
    assert decisions[-1].target > 200


def test_without_waiting_jobs_nothing_is_in_vain():
    assert all("look at what" not in decision.reason for decision in play(Plant(limit=30.0, arrival=0.0, waiting=0.0), "stop", 100))


@pytest.mark.parametrize("lost", [float("nan"), float("inf")])
def test_unreadable_completions_say_nothing(lost):
    plant = Plant(limit=30.0)
    plant.done = [lost] * 1000

    assert not any("look at what" in decision.reason for decision in play(plant, "stop", 3))
