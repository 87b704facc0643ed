"""What is recorded is enough to decide again, to the byte: outages, pauses, foreign changes, gaps and clock steps included."""

import random
from pathlib import Path

import pytest

from autoscaler.clock import VirtualClock
from autoscaler.decide.asking import Asking
from autoscaler.decide.memory import Memory
from autoscaler.decide.pipeline import decide
from autoscaler.decide.settings import SCALE_OUT, DirectionLimits, NamedPolicy, Pause, RateLimit, TypeSettings
from autoscaler.loop import Controller
from autoscaler.loop.guard import guard
from autoscaler.loop.values import ask_guarded
from autoscaler.model import Counts, ProcessType, TypeFormation
from autoscaler.observe.metric import MetricSettings
from autoscaler.observe.source import SourceError
from autoscaler.record import Circumstances, RecordedDecision, RecordWriter, Start, circumstances_of, decision_line, read_record, to_json
from autoscaler.settings import Settings
from autoscaler_policies.backlog import Backlog
from autoscaler_policies.target import Target

WORKER = TypeSettings(
    process_type=ProcessType(name="worker", minimum=1, maximum=50, memory_bytes=1000),
    policies=(
        NamedPolicy("backlog", Backlog(waiting="jobs", arrival="jobs", job_takes_seconds=0.4)),
        NamedPolicy("target", Target(metric="jobs", utilization=3.0)),
    ),
    scale_in=DirectionLimits(6.0, 5.0, (RateLimit(25, "percent", 30.0),), when="idle"),
    scale_out=DirectionLimits(5.0, 10.0, SCALE_OUT.at_most),
)


class Moody:
    def __init__(self, chance):
        self.chance = chance

    def read(self, poll):
        if self.chance.random() < 0.1:
            raise SourceError("down")
        ages, windows = [0, 1.2345678, 4], [0.0, 7.5]
        values = self.chance.choice([0, 1.5, 40, 333.3, 7])
        loads = self.chance.choice([None, {}, {"worker.1": 0.0}, {f"worker.{number}": float(number % 2) for number in range(9)}])
        return poll.reading(values, age_seconds=self.chance.choice(ages), window_seconds=self.chance.choice(windows), by_process=loads)


def disturb(chance, clock, backend, pauses):
    """Let the world do what it does between two ticks."""
    clock.advance(chance.choice([5, 5, 5, 5.1234567, 4.9, 40]))
    seen = backend.types["worker"]
    size = seen.counts.desired if chance.random() > 0.05 else chance.choice([0, 9])
    running = chance.randint(0, size)
    startup = seen.startup_seconds if chance.random() > 0.05 else chance.random() * 30
    backend.types["worker"] = TypeFormation(
        Counts(size, running, size - running),
        startup_seconds=startup,
        is_crash_looping=chance.random() < 0.2,
        is_called=running == 0 and chance.random() < 0.5,
        free_memory_bytes=chance.choice([None, 0, 2500, 10**6, 10**6, 10**6]),
        unready=chance.choice([*[None] * 8, "ready ones are not told", "no right to see them"]),
        chooses_idlest=chance.random() < 0.5,
    )
    backend.trouble = {"observe": OSError("gone")} if chance.random() < 0.05 else {}
    if chance.random() < 0.1:
        pauses["worker"] = Pause(chance.random() < 0.5, True, "x")  # noqa: FBT003 - scale_out, scale_in
    elif chance.random() < 0.5:
        pauses.clear()
    if chance.random() < 0.05:
        clock.step_wall(chance.choice([-3600, 3600.5]))


@pytest.fixture
def record(make_backend, tmp_path):
    def make(seed):
        chance, clock, backend, pauses = random.Random(seed), VirtualClock(12345.678901, 1763800000.123456), make_backend({"worker": 3}), {}
        writer = RecordWriter(str(tmp_path / "record"))
        metrics = (MetricSettings(name="jobs", source=Moody(chance)),)
        settings = Settings(path=None, interval_seconds=5.0, backends={}, types=(WORKER,), metrics=metrics)
        controller = Controller(settings, {"default": backend}, clock=clock, pauses=lambda _at: dict(pauses), listeners=[writer])
        controller.tell_start()
        for _ in range(150):
            disturb(chance, clock, backend, pauses)
            controller.poll_all()
            controller.tick()
        writer.close()
        return Path(tmp_path / "record").read_text().splitlines(keepends=True)

    return make


def replayed(lines):
    memory, pause, circumstances = Memory(), None, Circumstances()
    for entry in read_record(lines):
        if isinstance(entry, RecordedDecision):
            observation = entry.observation(WORKER.process_type, circumstances)
            decision, memory = decide(WORKER, observation, memory, pause=pause, asking=Asking(ask_guarded, guard))
            yield to_json(decision_line(decision)) + "\n"
        elif isinstance(entry, Start):
            circumstances = circumstances_of(entry.state).get("worker", Circumstances())
        elif entry.event in {"pause", "resume"}:
            pause = Pause(**{key: entry.details[key] for key in ("scale_out", "scale_in", "reason")}) if entry.event == "pause" else None
        else:
            circumstances = circumstances.after(entry)


def test_a_record_that_goes_on_in_a_new_file_tells_the_circumstances_again(make_backend, make_settings, make_source, tmp_path):
    backend, clock, path = make_backend({"worker": 1}), VirtualClock(1000.0, 1e9), tmp_path / "record"
    writer = RecordWriter(str(path))
    controller = Controller(make_settings(make_source([1.0])), {"default": backend}, clock=clock, pauses=lambda _at: {}, listeners=[writer])
    backend.types["worker"] = TypeFormation(Counts(1, 0, 1), startup_seconds=2.5, is_crash_looping=True, is_called=True)
    controller.tell_start()
    controller.tick()
    path.rename(tmp_path / "record.1")
    writer.reopen()
    controller.tell_state()
    controller.tick()
    writer.close()

    start = next(read_record(path.read_text().splitlines()))
    assert circumstances_of(start.state) == {"worker": Circumstances(startup_seconds=2.5, is_crash_looping=True, is_called=True)}


@pytest.mark.parametrize("seed", range(5))
def test_recorded_observations_give_the_recorded_decisions(record, seed):
    lines = record(seed)
    decisions = [line for line in lines if '"event": "decision"' in line]

    assert len(decisions) > 100
    assert list(replayed(lines)) == decisions
