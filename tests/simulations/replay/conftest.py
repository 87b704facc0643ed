"""Records that the real controller wrote in a rough world: a cap, several types, pauses, reloads, outages, changes by others, rotation."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from autoscaler.clock import VirtualClock
from autoscaler.config.loading import load_text
from autoscaler.decide.settings import Pause
from autoscaler.loop import Controller
from autoscaler.model import Change, Counts, Formation, Outcome, Reading, TypeFormation
from autoscaler.observe.source import Poll, SourceError
from autoscaler.record import RecordWriter
from autoscaler.settings import Settings
from autoscaler_simulations.replay.again import Replay
from autoscaler_simulations.replay.configuration import load_recorded
from autoscaler_simulations.replay.difference import Comparison

CONFIGURATION = """\
interval: 5s
listen: null
total: 14
preempt: true
backend: dry_run
metrics:
  jobs: {file: {path: jobs}}
  rate: {file: {path: rate}}
defaults:
  scale_in: {stabilization: 30s, cooldown: 20s, at_most: [50% per 60s]}
  scale_out: {stabilization: 5s, cooldown: 10s}
formation:
  web: {minimum: 1, maximum: 12, memory: 2M, priority: 1, policies: [{target: {metric: rate, per_process: 9}}]}
  worker:
    maximum: 10
    memory: 3M
    futility: stop
    policies: [{backlog: {waiting: jobs, arrival: rate, job_takes: 400ms}}, {target: {metric: jobs, utilization: 3}}]
  clock: {singleton: true, minimum: 0, policies: [{target: {metric: jobs, per_process: 50}}]}
"""
OTHER = CONFIGURATION.replace("total: 14\npreempt: true\n", "").replace("maximum: 10", "maximum: 5\n    pause_scale_in: quiet").split("  clock:")[0]


class Moody:
    """Answers with one of a few values, old or new, or not at all."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def read(self, poll: Poll) -> Reading:
        if self.chance.random() < 0.1:
            raise SourceError("down")
        ages, windows = [0, 1.2345678, 4], [0.0, 7.5]
        return poll.reading(
            self.chance.choice([0, 1.5, 40, 333.3, 7]), age_seconds=self.chance.choice(ages), window_seconds=self.chance.choice(windows)
        )


class RoughBackend:
    """Mostly does what it is told."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.types = {name: TypeFormation(Counts(2, 2)) for name in ("web", "worker", "clock")}

    def observe(self) -> Formation:
        if self.chance.random() < 0.05:
            raise OSError("gone")
        return Formation({name: seen for name, seen in self.types.items() if self.chance.random() > 0.05})

    def scale(self, changes: tuple[Change, ...]) -> tuple[Outcome, ...]:
        return tuple(Outcome(change.process_type, self._refusal(change)) for change in changes)

    def _refusal(self, change: Change) -> str | None:
        if self.chance.random() < 0.1:
            return "refused"
        self.types[change.process_type] = replace(self.types[change.process_type], counts=Counts(change.target, change.target))
        return None

    def disturb(self) -> None:
        free = self.chance.choice([None, 0, 5 * 1024**2, 10**9, 10**9, 10**9])
        self.types = {name: self._disturbed(seen, free) for name, seen in self.types.items()}

    def _disturbed(self, seen: TypeFormation, free: int | None) -> TypeFormation:
        chance = self.chance
        size = seen.counts.desired if chance.random() > 0.05 else chance.choice([0, 6])
        running = chance.randint(0, size)
        return TypeFormation(
            Counts(size, running, size - running, draining=chance.choice([0, 0, 0, 2])),
            startup_seconds=seen.startup_seconds if chance.random() > 0.05 else chance.random() * 30,
            is_crash_looping=chance.random() < 0.1,
            is_called=running == 0 and chance.random() < 0.5,
            free_memory_bytes=free,
        )


@dataclass
class World:
    """A controller, what it acts on, and the record it writes."""

    chance: random.Random
    clock: VirtualClock
    backend: RoughBackend
    pauses: dict[str, Pause]
    writer: RecordWriter
    controller: Controller
    is_pausing: bool = True

    def step(self) -> None:
        self.clock.advance(self.chance.choice([5, 5, 5, 5.1234567, 4.9, 40]))
        if self.chance.random() < 0.05:
            self.clock.step_wall(self.chance.choice([-3600, 3600.5]))
        self.backend.disturb()
        self._pause()
        self.controller.poll_all()
        self.controller.tick()

    def _pause(self) -> None:
        if self.is_pausing and self.chance.random() < 0.1:
            self.pauses[self.chance.choice(["web", "worker"])] = Pause(scale_out=self.chance.random() < 0.5, scale_in=True, reason="x")
        elif self.chance.random() < 0.5:
            self.pauses.clear()

    def reload(self, settings: Settings) -> None:
        """Go on with another configuration, now and then on another backend."""
        if self.chance.random() < 0.5:
            types = self.backend.types
            self.backend = RoughBackend(self.chance)
            self.backend.types = types
        self.controller.reload(settings, lambda: {"default": self.backend})


@pytest.fixture
def settings_of(tmp_path: Path) -> Callable[[str, random.Random], Settings]:
    """Load a configuration whose metrics are moody."""

    def load(text: str, chance: random.Random) -> Settings:
        settings = load_text(text, str(tmp_path / "autoscaler.yaml"), {})
        # Each has a generator of its own: metrics are polled side by side, in any order.
        return replace(settings, metrics=tuple(replace(metric, source=Moody(random.Random(chance.random()))) for metric in settings.metrics))

    return load


@pytest.fixture
def make_world(settings_of: Callable[[str, random.Random], Settings], tmp_path: Path) -> Callable[..., World]:
    def make(seed: int, configuration: str = CONFIGURATION, now: float = 12345.678901) -> World:
        chance = random.Random(seed)
        clock, backend, pauses = VirtualClock(now, 1763800000.123456), RoughBackend(chance), {}
        writer = RecordWriter(str(tmp_path / "record"))
        settings = settings_of(configuration, chance)
        controller = Controller(settings, {"default": backend}, clock=clock, pauses=lambda _at: dict(pauses), listeners=[writer])
        return World(chance, clock, backend, pauses, writer, controller)

    return make


@pytest.fixture
def write_record(make_world: Callable[..., World], settings_of: Callable[..., Settings], tmp_path: Path) -> Callable[..., tuple[str, str]]:
    """Write a record that is rotated in the middle and reloaded in both halves; return both files."""

    def write(seed: int, ticks: int = 60) -> tuple[str, str]:
        world = make_world(seed)
        world.controller.tell_start()
        for number in range(2 * ticks):
            if number == ticks:
                (tmp_path / "record").rename(tmp_path / "record.1")
                world.writer.reopen()
                world.controller.tell_state()
            if number % ticks in {20, 40}:
                world.reload(settings_of(OTHER if number % ticks == 20 else CONFIGURATION, world.chance))
            world.step()
        world.writer.close()
        first, second = (tmp_path / name for name in ("record.1", "record"))
        texts = first.read_text(), second.read_text()
        second.unlink()
        return texts

    return write


@pytest.fixture
def replay() -> Callable[..., tuple[list[Comparison], Replay]]:
    """Decide again on the lines of a text; return the comparisons and the replay."""

    def run(text: str | Iterable[str], other: Settings | None = None) -> tuple[list[Comparison], Replay]:
        lines = text.splitlines(keepends=True) if isinstance(text, str) else text
        replaying = Replay(partial(load_recorded, name="record", environment={}), other)
        return list(replaying.run(lines)), replaying

    return run
