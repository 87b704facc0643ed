"""Draw process types with any policies and limits, and the worlds they live in."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from autoscaler.decide.memory import Memory
from autoscaler.decide.pipeline import decide
from autoscaler.decide.settings import DirectionLimits, NamedPolicy, RateLimit, Schedule, TypeSettings, Window
from autoscaler.model import Abstain, Answer, Counts, Decision, Json, Metric, Observation, ProcessType, Reading, Recommendation
from autoscaler_policies.backlog import Backlog
from autoscaler_policies.concurrency import Concurrency
from autoscaler_policies.expression import Expression
from autoscaler_policies.fixed import Fixed
from autoscaler_policies.queueing import Queueing
from autoscaler_policies.spare import Spare
from autoscaler_policies.step import Step
from autoscaler_policies.step_bands import Band
from autoscaler_policies.target import Target

law = hypothesis_settings(max_examples=int(os.environ.get("LAWS_EXAMPLES", "200")))  # make laws asks for 10,000

METRICS = ("load", "busy", "rate")
_SHARES = st.sampled_from([0.5, 1.0, 3.0, 50.0])
_SPANS = st.sampled_from([0.0, 10.0, 60.0, 300.0])


@dataclass(frozen=True)
class Fickle:
    """Has nothing to say of a small load, and wants what it reads of another."""

    metric: Metric = "load"

    def recommend(self, observation: Observation, _memory: Json) -> Answer:
        value = observation.value(self.metric)
        return Abstain("too little to say") if value < 10 else Recommendation(int(min(value, 1e9)), f"{value:g}")


BANDS = (
    (Band(at_least=80.0, change=2), Band(below=20.0, change=-1)),
    (Band(at_least=60.0, below=70.0, change="+10%"), Band(at_least=70.0, change="+30%"), Band(at_most=30.0, change="-30%")),
    (Band(above=0.5, change="=7"), Band(at_most=0.5, change="=2")),
)
POLICIES: Mapping[str, st.SearchStrategy[object]] = {
    "target": st.one_of(
        st.builds(Target, metric=st.just("load"), per_process=_SHARES),
        st.builds(Target, metric=st.just("load"), utilization=st.sampled_from([0.5, 0.7, 2.0]), tolerance_out=st.sampled_from([0.0, 0.1])),
        st.builds(Target, metric=st.just("load"), total=_SHARES, tolerance_in=st.sampled_from([0.0, 0.3])),
    ),
    "backlog": st.one_of(
        st.builds(Backlog, waiting=st.just("load"), busy=st.sampled_from([None, "busy"]), job_takes_seconds=st.sampled_from([0.1, 7.0])),
        st.builds(Backlog, waiting=st.just("load"), per_process=_SHARES, activation=st.sampled_from([0.0, 5.0]), idle_for_seconds=_SPANS),
        st.builds(Backlog, waiting=st.just("load"), busy=st.just("busy"), completions=st.just("rate")),
    ),
    "step": st.builds(
        Step,
        metric=st.just("load"),
        bands=st.sampled_from(BANDS),
        for_seconds=st.sampled_from([0.0, 30.0]),
        rounding=st.sampled_from(["down", "up", "nearest"]),
    ),
    "concurrency": st.builds(
        Concurrency,
        metric=st.just("load"),
        panic_metric=st.sampled_from([None, None, "rate"]),
        measure=st.sampled_from(["concurrency", "rate"]),
        per_process=st.sampled_from([None, 1.0, 10.0]),
        scale_in_delay_seconds=st.sampled_from([0.0, 30.0]),
        burst_capacity=st.sampled_from([0.0, 20.0, -1.0]),
    ),
    "spare": st.one_of(
        st.builds(Spare, mode=st.sampled_from(["dynamic", "prefork", "spare", "spare2"]), busy=st.just("busy")),
        st.builds(Spare, mode=st.sampled_from(["ondemand", "busyness"]), busy=st.just("busy"), listening=st.just("load")),
        st.builds(Spare, mode=st.just("backlog"), listening=st.just("load")),
    ),
    "queueing": st.one_of(
        st.builds(
            Queueing,
            arrival=st.just("rate"),
            service_takes_seconds=st.sampled_from([0.05, 2.0]),
            wait_within_seconds=st.sampled_from([0.0, 0.5]),
            percentile=st.sampled_from([50.0, 95.0, 99.9]),
        ),
        st.builds(Queueing, arrival=st.just("rate"), busy=st.just("busy"), wait_within_seconds=st.just(0.2)),
    ),
    "fixed": st.builds(Fixed, processes=st.integers(0, 9)),
    "expression": st.sampled_from(["ceil(load / 20) + 1", "max(minimum, load - busy)", "load / rate", "running + load", "load * load"]).map(
        lambda formula: Expression(processes=formula, readings=tuple(metric for metric in METRICS if metric in formula))
    ),
}
SENSIBLE = st.one_of(st.integers(0, 3000).map(float), st.floats(0.0, 3000.0))
ANYTHING = st.one_of(SENSIBLE, st.floats(), st.sampled_from([float("nan"), float("inf"), float("-inf"), -5.0, 1e308, 5e-324, -0.0]))
WALLS = st.sampled_from([0.0, 0.0, 0.0, -3600.0, 3600.5, 40_000_000.0])


@dataclass(frozen=True)
class Tick:
    """What one tick brings: seconds since the last, a step of the wall clock, readings (``None``: missing), and what the backend does."""

    after: float
    step: float
    values: tuple[float | None, ...]
    age: float
    accepts: bool
    ready: float  # share of the processes that are ready
    is_crash_looping: bool
    is_called: bool


def directions() -> st.SearchStrategy[DirectionLimits]:
    limit = st.builds(RateLimit, st.integers(1, 100), st.sampled_from(["processes", "percent"]), st.sampled_from([15.0, 60.0]))
    return st.builds(DirectionLimits, _SPANS, _SPANS, st.lists(limit, max_size=2).map(tuple), st.sampled_from(["max", "max", "min", "disabled"]))


@st.composite
def types(draw: st.DrawFn, policies: st.SearchStrategy[object] | None = None) -> TypeSettings:
    """Draw a process type with up to three policies of any kind and any limits."""
    minimum = draw(st.integers(0, 5))
    maximum = draw(st.integers(max(1, minimum), 60))
    kinds = policies if policies is not None else st.one_of([*POLICIES.values(), st.just(Fickle())])
    chosen = draw(st.lists(kinds, max_size=3))
    return TypeSettings(
        process_type=ProcessType(name="worker", minimum=minimum, maximum=maximum, slots=draw(st.sampled_from([1, 4]))),
        policies=tuple(NamedPolicy(f"p{index}", policy) for index, policy in enumerate(chosen)),
        combine=draw(st.sampled_from(["max", "min", "sum", "first"])),
        scale_out=draw(directions()),
        scale_in=draw(directions()),
        futility=draw(st.sampled_from(["warn", "stop"])),
    )


@st.composite
def scheduled(draw: st.DrawFn, one: TypeSettings) -> TypeSettings:
    """Give a type windows of the clock within its limits."""
    low, high = sorted(draw(st.lists(st.integers(one.process_type.minimum, one.process_type.maximum), min_size=2, max_size=2)))
    cron = draw(st.sampled_from(["* * * * *", "*/10 * * * *", "0 8 * * 1-5", "30 2 * * *"]))
    spans = {"cron": cron, "for_seconds": draw(st.sampled_from([60.0, 3600.0, 90000.0])), "at_once": draw(st.booleans())}
    window = draw(st.sampled_from([Window(**spans, minimum=low), Window(**spans, maximum=high), Window(**spans, processes=low)]))
    return replace(one, schedule=Schedule(draw(st.sampled_from(["UTC", "Europe/Budapest", "America/New_York"])), (window,)))


def ticks(values: st.SearchStrategy[float] = SENSIBLE, *, longest: int = 15) -> st.SearchStrategy[list[Tick]]:
    """Draw what happens tick by tick."""
    reading = st.one_of(values, values, values, st.none())
    tick = st.builds(
        Tick,
        after=st.sampled_from([5.0, 5.0, 5.0, 1.0, 0.001, 400.0]),
        step=WALLS,
        values=st.tuples(*[reading] * len(METRICS)),
        age=st.sampled_from([0.0, 0.5, 4.0, 30.0]),
        accepts=st.sampled_from([True, True, True, False]),
        ready=st.sampled_from([1.0, 1.0, 0.5, 0.0]),
        is_crash_looping=st.sampled_from([False, False, False, True]),
        is_called=st.sampled_from([False, False, False, True]),
    )
    return st.lists(tick, min_size=1, max_size=longest)


def play(one: TypeSettings, desired: int, drawn: list[Tick], *, through: Callable[[Memory], Memory] = lambda memory: memory) -> Iterator[Decision]:
    """Yield the decision of every tick; ``through`` is what happens to the memory in between."""
    now, wall, memory = 0.0, 1_763_800_000.0, Memory()
    for tick in drawn:
        now, wall = now + tick.after, wall + tick.after + tick.step
        decision, memory = decide(one, _observe(one, desired, tick, now, wall), memory)
        memory = through(memory)
        yield decision
        desired = decision.target if tick.accepts else desired


def _observe(one: TypeSettings, desired: int, tick: Tick, now: float, wall: float) -> Observation:
    running = int(desired * tick.ready)
    known = {name: value for name, value in zip(METRICS, tick.values, strict=True) if value is not None}
    return Observation(
        now,
        wall,
        one.process_type,
        Counts(desired, running, starting=desired - running),
        {name: Reading(name, value, now - tick.age, window_seconds=10.0) for name, value in known.items()},
        {name: "down" for name in METRICS if name not in known},
        startup_seconds=3.0,
        is_crash_looping=tick.is_crash_looping,
        is_called=tick.is_called,
    )


def plain(memory: Memory) -> Memory:
    """Send what policies remember through JSON, as a record does; the rest can be written too."""
    json.dumps(asdict(memory), allow_nan=False)
    return replace(memory, policies=json.loads(json.dumps(memory.policies, allow_nan=False)))
