"""Size a process type to the requests that are in flight or arrive, and panic when they surge."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal, TypedDict, cast

from autoscaler.decide.exact import brief, exact
from autoscaler.decide.window import Sized
from autoscaler.model import (
    Duration,
    DurationOrZero,
    Help,
    Json,
    Metric,
    Number,
    Observation,
    Positive,
    Processes,
    Recommendation,
)
from autoscaler_policies.last_process import Life, Outcome, State, ZeroRule, bring_to_zero, following_state
from autoscaler_policies.load_window import LoadWindow, PastLoad, windows
from autoscaler_policies.metric_target import DEFAULT_PER_PROCESS, LOWEST_TARGET, MetricTarget
from autoscaler_policies.panic import Averages, PanicRule, PanicState, Sizing, Wish, begin
from autoscaler_policies.panic_reason import Words, sized

_SHORTEST_PANIC = 100  # panic windows to a stable one, at most, as Knative's 1 %

_Factor = Annotated[float, Number(above=1)]
_Share = Annotated[float, Number(above=0, at_most=1)]


class _Since(TypedDict):
    state: State
    at: float  # monotonic seconds at which it began


class _Memory(TypedDict):
    load: PastLoad | None  # None: the source averages
    since: float | None  # of the panic; None: calm
    most: int
    delayed: list[list[int]]  # number of tick, processes
    life: _Since
    is_initial_reached: bool
    excess_burst_capacity: int


@dataclass(frozen=True, slots=True)
class _Rules:
    """What follows from the configuration and is the same on every tick."""

    stable: LoadWindow
    panic: LoadWindow
    size: PanicRule
    zero: ZeroRule
    words: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """Keep the requests in flight, or a rate of them, at a share of what one process carries, after Knative's pod autoscaler.

    The mean of a stable window is divided by ``per_process x utilization`` and rounded up. When the mean of a short window wants
    ``panic_threshold`` times the ready processes, the type panics: the higher of both counts, never fewer than before, until none
    has begun for a stable window. The count is a total divided by a target, so processes that still start are never asked for again.
    With a minimum of 0, an idle type goes through 1 and a grace to 0. What it remembers begins anew with the controller: more than one
    ready process then begin in panic, so that they stay until their load is known.
    """

    metric: Annotated[Metric, Help("requests in flight, or their rate a second, over all processes")]
    panic_metric: Annotated[Metric | None, Help("the same load over the panic window, when both are already averaged by their source")] = None
    measure: Annotated[Literal["concurrency", "rate"], Help("what metric is: requests in flight, or requests a second")] = "concurrency"
    per_process: Annotated[Positive | None, Help("load that one process carries; default 100 in flight, 200 a second")] = None
    utilization: Annotated[_Share, Help("share of per_process to aim at")] = 0.7
    hard_limit: Annotated[Positive | None, Help("most requests that one process takes at once")] = None
    window_seconds: Annotated[Duration, Help("stable window")] = 60.0
    panic_window_seconds: Annotated[Duration | None, Help("panic window; default a tenth of the stable one")] = None
    panic_threshold: Annotated[_Factor, Help("times the ready processes that begin a panic")] = 2.0
    scale_out_factor: Annotated[_Factor, Help("times the ready processes that one step may reach")] = 1000.0
    scale_in_factor: Annotated[_Factor | None, Help("a step keeps the ready processes divided by this; null: no limit")] = 2.0
    activation_scale: Annotated[Processes, Help("fewest processes when there is any load")] = 1
    scale_in_delay_seconds: Annotated[DurationOrZero, Help("time for which the highest count is kept")] = 0.0
    burst_capacity: Annotated[float, Help("load that should fit beside the present one, only told; 0: not told, -1: all requests are proxied")] = 0.0
    initial_scale: Annotated[Processes, Help("processes to begin with, when none runs yet")] = 1
    grace_seconds: Annotated[DurationOrZero, Help("time between idle and 0")] = 30.0
    retention_seconds: Annotated[DurationOrZero, Help("least time that the last process stays idle")] = 0.0
    activation_timeout_seconds: Annotated[Duration, Help("time after which a first process without load, never ready, goes")] = 630.0

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for windows, metrics and a burst that cannot be."""
        panic = self._panic_seconds
        if not self.window_seconds / _SHORTEST_PANIC <= panic <= self.window_seconds:
            raise ValueError("panic_window must be between a hundredth of window and window; change one of them")
        if self.panic_metric == self.metric:
            raise ValueError("panic_metric is metric; leave panic_metric out, or name the average over the panic window")
        if self.burst_capacity < 0 and self.burst_capacity != -1:
            raise ValueError("burst_capacity must be -1, 0 or more; write -1 where every request is proxied")

    def warnings(self) -> tuple[str, ...]:
        """Say what works, and may surprise."""
        if self.hard_limit is None:
            return ()
        if self.measure == "rate":
            return ("hard_limit counts requests in flight and does nothing for a rate; leave it out",)
        if self.per_process is not None and self.per_process > self.hard_limit:
            return (f"per_process is above hard_limit: {brief(self.hard_limit)} is taken",)
        return ()

    @property
    def metric_target(self) -> MetricTarget:
        """Return how much one process carries, and should carry."""
        return MetricTarget(
            measure=self.measure,
            default=DEFAULT_PER_PROCESS[self.measure],
            per_process=self.per_process,
            hard_limit=self.hard_limit,
            utilization=self.utilization,
        )

    def recommend(self, observation: Observation, memory: Json) -> Recommendation:
        """Want the processes for the load of the windows."""
        now, counts = observation.now, observation.counts
        rules = _rules(self, observation.process_type.interval_seconds, observation.process_type.minimum, observation.process_type.maximum)
        past = cast("_Memory | None", memory)
        load, averages = self._averages(observation, rules, past["load"] if past else None)
        sizing = rules.size.size(averages, counts.running, now, _panic_state(past, observation))
        life = _life(past, observation, rules.zero)
        wanted = max(sizing.processes, _kept(sizing.wish, counts.capacity), int(observation.is_called))
        outcome = bring_to_zero(wanted, rules.zero, life)
        excess = rules.size.excess_burst_capacity(averages.panic, counts.running)
        reason = _reason(rules, sizing, observation, wanted, outcome) + (self._burst(excess) if excess < 0 else "")
        remembered: _Memory = {
            "load": load,
            "since": sizing.state.since,
            "most": sizing.state.most,
            "delayed": [[int(each.now), each.processes] for each in sizing.state.delayed],
            "life": _following(past, life, outcome, observation),
            "is_initial_reached": life.is_initial_reached,
            "excess_burst_capacity": excess,
        }
        return Recommendation(_asked(outcome, counts.desired), reason, cast("Json", remembered))

    @property
    def _panic_seconds(self) -> float:
        return self.window_seconds / 10 if self.panic_window_seconds is None else self.panic_window_seconds

    def _averages(self, observation: Observation, rules: _Rules, past: PastLoad | None) -> tuple[PastLoad | None, Averages]:
        if self.panic_metric is not None:
            stable, panic = (exact(observation.amount(metric).value) for metric in (self.metric, self.panic_metric))
            return None, Averages(stable, panic)
        load = rules.stable.record(past, observation.amount(self.metric), observation.now)
        return load, Averages(rules.stable.average(load, observation.now), rules.panic.average(load, observation.now))

    def _burst(self, excess: int) -> str:
        if self.burst_capacity < 0:
            return ""
        return f"; of a burst of {brief(self.burst_capacity)} more, {brief(min(-excess, self.burst_capacity))} would wait"


@lru_cache(maxsize=1024)
def _rules(policy: Concurrency, interval_seconds: float, minimum: int, maximum: int) -> _Rules:
    target = policy.metric_target
    stable, panic = windows(policy.window_seconds, policy._panic_seconds, interval_seconds)  # noqa: SLF001 - of this file
    return _Rules(
        stable,
        panic,
        _size_rule(policy, target, interval_seconds),
        _zero_rule(policy, minimum, maximum),
        _words(policy, target, stable, panic),
    )


def _words(policy: Concurrency, target: MetricTarget, stable: LoadWindow, panic: LoadWindow) -> Words:
    unit = "in flight" if policy.measure == "concurrency" else "a second"
    floor = f", {brief(LOWEST_TARGET)} at least" if target.target == LOWEST_TARGET else ""
    per_process = f"({brief(target.total)} x {brief(exact(policy.utilization))}{floor})"
    spans = ((window.seconds if policy.panic_metric else window.span_seconds) for window in (stable, panic))
    return Words(*(f" {unit} over {brief(span)} s / {per_process} = " for span in spans))


def _size_rule(policy: Concurrency, target: MetricTarget, interval_seconds: float) -> PanicRule:
    return PanicRule(
        target=target.target,
        total=target.total,
        panic_threshold=exact(policy.panic_threshold),
        scale_out_factor=exact(policy.scale_out_factor),
        scale_in_factor=None if policy.scale_in_factor is None else exact(policy.scale_in_factor),
        window_seconds=policy.window_seconds,
        tick_seconds=interval_seconds,
        delay_seconds=policy.scale_in_delay_seconds,
        activation_scale=policy.activation_scale,
        burst_capacity=exact(policy.burst_capacity),
    )


def _zero_rule(policy: Concurrency, minimum: int, maximum: int) -> ZeroRule:
    # The maximum is left to the pipeline, which says that it held the count; only a beginning above it would never be reached.
    return ZeroRule(
        minimum=minimum,
        initial_scale=min(policy.initial_scale, maximum),
        window_seconds=policy.window_seconds,
        grace_seconds=policy.grace_seconds,
        retention_seconds=policy.retention_seconds,
        activation_timeout_seconds=policy.activation_timeout_seconds,
        is_always_proxied=policy.burst_capacity < 0,
    )


def _panic_state(past: _Memory | None, observation: Observation) -> PanicState:
    if past is None:
        return begin(observation.now, observation.counts.running)
    delayed = past["delayed"]
    return PanicState(past["since"], past["most"], tuple(Sized(*each) for each in delayed) if delayed else ())


def _life(past: _Memory | None, observation: Observation, rule: ZeroRule) -> Life:
    running = observation.counts.running
    if past is None:
        state = following_state("inactive", max(observation.counts.desired, running), running)
        return Life(state=state, age_seconds=0.0, is_initial_reached=running > 0)
    age = observation.now - past["life"]["at"]
    is_reached = past["is_initial_reached"] or running >= max(1, rule.initial_scale)
    return Life(state=past["life"]["state"], age_seconds=age, is_initial_reached=is_reached)


def _following(past: _Memory | None, life: Life, outcome: Outcome, observation: Observation) -> _Since:
    state = following_state(life.state, outcome.processes, observation.counts.running)
    if past is not None and state == life.state:
        return past["life"]
    return {"state": state, "at": observation.now}


def _kept(wish: Wish, capacity: int) -> int:
    """Count the processes that the load needs and that are there: what limits a step out must not cancel those that start."""
    return min(wish.whole, capacity) if wish.processes < wish.whole else 0


def _asked(outcome: Outcome, desired: int) -> int:
    if outcome.processes is None:
        return desired
    # What is not written stays, but on the way to zero only the last one.
    return outcome.processes if outcome.is_written else min(desired, 1)


def _reason(rules: _Rules, sizing: Sizing, observation: Observation, wanted: int, outcome: Outcome) -> str:
    counts = observation.counts
    said = sized(rules.words, rules.size, sizing, counts.running, observation.now)
    if wanted > sizing.processes:
        said += f", {wanted} of {counts.capacity} that run or start stay" if sizing.wish.whole else ", 1 for the connection that waits"
    is_gone = counts.desired == 0 and not outcome.is_written
    return f"{said}; {outcome.reason}" if outcome.reason and not is_gone else said
