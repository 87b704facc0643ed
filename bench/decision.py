"""Measure one decision through the whole pipeline: its time, where that goes, and what is remembered of a type."""

from __future__ import annotations

import cProfile
import gc
import pstats
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from autoscaler.decide.memory import Memory
from autoscaler.decide.pipeline import decide
from autoscaler.decide.policy import Policy
from autoscaler.decide.settings import SCALE_IN, DirectionLimits, NamedPolicy, Schedule, TypeSettings, Window
from autoscaler.model import Counts, Observation, ProcessType, Reading
from autoscaler_policies.backlog import Backlog
from autoscaler_policies.concurrency import Concurrency
from autoscaler_policies.expression import Expression
from autoscaler_policies.queueing import Queueing
from autoscaler_policies.spare import Spare
from autoscaler_policies.step import Step
from autoscaler_policies.step_bands import Band
from autoscaler_policies.target import Target
from table import Table

DECISIONS = 4_000
ROUNDS = 7
GOAL_MICROSECONDS, MOST_MICROSECONDS = 50, 100
WINDOW_SECONDS = 300.0
GOAL_KILOBYTES = 20
PROFILED = 12
OFFICE = Schedule("Europe/Budapest", (Window(cron="0 8 * * 1-5", for_seconds=36000.0, minimum=2),))
BACKLOG = Backlog(waiting="waiting", busy="busy", job_takes_seconds=0.4)
TARGET = Target(metric="requests", per_process=50.0)
BANDS = (Band(above=150.0, change=1), Band(below=20.0, change=-1))
KINDS: dict[str, tuple[tuple[Policy, ...], Schedule | None]] = {
    "backlog + target": ((BACKLOG, TARGET), None),
    "backlog + target, schedule": ((BACKLOG, TARGET), OFFICE),
    "backlog": ((BACKLOG,), None),
    "target": ((TARGET,), None),
    "step": ((Step(metric="requests", bands=BANDS),), None),
    "concurrency": ((Concurrency(metric="requests", per_process=50.0),), None),
    "queueing": ((Queueing(arrival="requests", service_takes_seconds=0.1, wait_within_seconds=0.5),), None),
    "spare": ((Spare(busy="busy"),), None),
    "expression": ((Expression(processes="ceil(waiting / 20) + 1", readings=("waiting",)),), None),
    "no policy": ((), None),
}


def measure() -> Table:
    """Time decisions whose readings change every time, and those whose readings stay; median of several rounds."""
    rows = tuple((kind, *(f"{_microseconds(*of, moving=moving):.1f} us" for moving in (True, False))) for kind, of in KINDS.items())
    title = f"One decision through the whole pipeline (goal {GOAL_MICROSECONDS} us with two policies, at most {MOST_MICROSECONDS})"
    return Table(title, ("policies", "new readings", "same readings"), rows)


def measure_profile() -> Table:
    """Profile decisions with two policies and readings that change; the profiler itself takes about as long again."""
    profile = cProfile.Profile()
    settings, seen = _settings(*KINDS["backlog + target"]), list(_observations(moving=True))
    profile.enable()
    _decide_all(settings, seen)
    profile.disable()
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined] # typeshed leaves it out
    whole = sum(own for _, _, own, _, _ in stats.values())
    top = sorted(stats.items(), key=lambda item: -item[1][2])[:PROFILED]
    rows = tuple((_name(place), f"{calls / DECISIONS:.1f}", f"{own / whole:.1%}") for place, (_, calls, own, _, _) in top)
    return Table("Where a decision with two policies goes, by own time", ("function", "calls each", "share"), rows)


def measure_memory() -> Table:
    """Count the bytes that a type adds for its past, with a window of five minutes at one decision a second."""
    kinds: dict[str, tuple[Policy, ...]] = {
        "backlog + target": (BACKLOG, TARGET),
        "a wish that falls by one a second": (Expression(processes="max(0, 300 - floor(waiting))", readings=("waiting",)),),
        "concurrency, window 5m": (Concurrency(metric="requests", window_seconds=WINDOW_SECONDS),),
        "step, for 5m": (Step(metric="requests", bands=BANDS, for_seconds=WINDOW_SECONDS),),
        "backlog, measured over 5m": (Backlog(waiting="waiting", busy="busy", completions="requests", measured_over_seconds=WINDOW_SECONDS),),
    }
    rows = tuple((kind, f"{_kilobytes(policies):.1f} kB", f"under {GOAL_KILOBYTES} kB") for kind, policies in kinds.items())
    return Table("Memory of one type, windows of 5 minutes at 1 s", ("policies", "a type", "goal"), rows)


def _microseconds(policies: tuple[Policy, ...], schedule: Schedule | None, *, moving: bool) -> float:
    settings, seen = _settings(policies, schedule), list(_observations(moving=moving))
    _decide_all(settings, seen[: DECISIONS // 10])
    return statistics.median(_timed(lambda: _decide_all(settings, seen)) for _ in range(ROUNDS)) / DECISIONS * 1e6


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _settings(policies: tuple[Policy, ...], schedule: Schedule | None = None, interval: float = 5.0) -> TypeSettings:
    return TypeSettings(
        process_type=ProcessType(name="web", minimum=1, maximum=20, interval_seconds=interval),
        policies=tuple(NamedPolicy(type(policy).__name__, policy) for policy in policies),
        scale_in=DirectionLimits(WINDOW_SECONDS, 0.0, SCALE_IN.at_most),
        schedule=schedule,
    )


def _observations(*, moving: bool, interval: float = 5.0) -> Iterator[Observation]:
    process_type = _settings((), interval=interval).process_type
    for tick in range(DECISIONS):
        shift = tick * 1.37 % 50 if moving else 0.0
        values = {"waiting": 40.0 + tick % 7 if moving else 40.0, "busy": 3.0, "requests": 120.0 + shift}
        now = tick * interval
        readings = {name: Reading(name, value, now - (1.0 if moving else now)) for name, value in values.items()}
        yield Observation(now, 1e9 + now, process_type, Counts(3, 3), readings)


def _decide_all(settings: TypeSettings, seen: list[Observation]) -> Memory:
    memory = Memory()
    for observation in seen:
        _, memory = decide(settings, observation, memory)
    return memory


def _kilobytes(policies: tuple[Policy, ...]) -> float:
    settings, seen = _settings(policies, interval=1.0), list(_observations(moving=True, interval=1.0))[: 2 * int(WINDOW_SECONDS)]
    settings = replace(settings, process_type=replace(settings.process_type, maximum=100))
    if isinstance(policies[0], Expression):
        seen = [replace(one, readings={"waiting": Reading("waiting", tick % WINDOW_SECONDS, one.now)}) for tick, one in enumerate(seen)]
    _decide_all(settings, seen)
    types = 20
    gc.collect()
    tracemalloc.start()
    kept = [_decide_all(settings, seen) for _ in range(types)]
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / len(kept) / 1024


def _name(place: tuple[str, int, str]) -> str:
    path, line, function = place
    return f"{Path(path).name}:{line} {function}" if line else function
