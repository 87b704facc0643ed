"""Size a process type to the jobs that wait for it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, NamedTuple, cast

from autoscaler.decide.exact import brief, ceiling, exact, quotient
from autoscaler.model import (
    Duration,
    DurationOrZero,
    Help,
    Json,
    Metric,
    Missing,
    MissingReadingError,
    Number,
    Observation,
    Positive,
    Processes,
    Progress,
    Recommendation,
)
from autoscaler_policies.backlog_load import Memory, add_sample, finite, growth, job_time, last_active, samples_of, sum_of

_NONE = Fraction(0)


class _Load(NamedTuple):
    waiting: float
    busy: float
    arrival: Fraction  # jobs a second
    job_seconds: float | None  # None: not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Clear the jobs that wait within a set time, and keep up with those that arrive.

    With the time one job takes, one process works off ``rate = slots / job time`` jobs a second, and the policy wants::

        max(ceil(busy / slots),
            min(ceil(arrival / rate + waiting / (rate x clear_within)),
                ceil((waiting + busy + arrival x (startup + interval)) / slots)))

    The first line keeps the processes that work on a job; the last never starts more than there are jobs to do until they are
    ready. Jobs and slots are counts, ``arrival`` is jobs a second; ``arrival`` and ``busy`` count 0 when they are not given.
    With ``per_process`` instead, it wants ``ceil(waiting / per_process)``, as AWS's backlog per instance (2019).

    What is not given is measured from ``completions``: the time of a job as ``busy / completions`` by Little's law (1961), the
    last known one while nothing is completed; the arrivals as ``completions`` and what ``waiting + busy`` grew a second.

    After KEDA (2019), whether there is anything to do is apart from how much: while no more than ``activation`` jobs wait and none
    is worked on, it wants none, whatever the formula says; above it at least ``active_minimum``. Once there is nothing to do, the
    last processes stay for ``idle_for``. Without an ``activation``, arrivals alone are something to do.
    """

    waiting: Annotated[Metric, Help("jobs that wait")]
    busy: Annotated[Metric | None, Help("jobs being worked on; without it a process may be drained in the middle of a job")] = None
    arrival: Annotated[Metric | None, Help("jobs that arrive, a second")] = None
    completions: Annotated[Metric | None, Help("jobs that are completed, a second; measures what is not given")] = None
    job_takes_seconds: Annotated[Duration | None, Help("time one job takes")] = None
    job_seconds: Annotated[Metric | None, Help("metric of the seconds one job takes, in place of job_takes")] = None
    clear_within_seconds: Annotated[Duration, Help("time in which the jobs that wait now should be begun")] = 60.0
    per_process: Annotated[Positive | None, Help("jobs that may wait for each process, in place of the time one job takes")] = None
    activation: Annotated[float, Number(at_least=0), Help("so many jobs may wait before the first process is started")] = 0.0
    active_minimum: Annotated[Processes, Help("the fewest processes while there is something to do")] = 1
    idle_for_seconds: Annotated[DurationOrZero, Help("how long the last processes stay once there is nothing to do")] = 0.0
    measured_over_seconds: Annotated[Duration, Help("span over which arrivals are measured")] = 60.0

    def __post_init__(self) -> None:
        """Raise ``ValueError`` unless there is exactly one way to count processes."""
        given = sum(way is not None for way in (self.job_takes_seconds, self.job_seconds, self.per_process))
        if given > 1:
            raise ValueError("give either job_takes (with clear_within), or job_seconds, or per_process; keep one of them")
        if given == 0 and (self.busy is None or self.completions is None):
            raise ValueError("give either job_takes (with clear_within), or job_seconds, or per_process, or both busy and completions")

    def warnings(self) -> tuple[str, ...]:
        """Say what works, and may surprise."""
        if self.busy is None:
            return ("busy is not given and counts 0: scale-in may drain a process that works on a job; name the metric of running jobs",)
        return ()

    def recommend(self, observation: Observation, memory: Json) -> Recommendation | Missing:
        """Want the processes that keep, catch up and are never idle."""
        load, kept = self._load(observation, memory)
        if self.per_process is None and load.job_seconds is None:
            return self._without_job_time(load, observation, kept)
        wanted, reason = self._wish(load, observation)
        if load.waiting > self.activation or load.busy > 0 or (wanted > 0 and self.activation == 0):
            return self._active(wanted, reason, observation.now, kept)
        return self._idle((wanted, reason), load, observation, kept)

    def progress(self, observation: Observation, memory: Json) -> Progress | None:
        """Tell how the work goes: by ``completions``, else by ``arrival`` less what the jobs grew over the measured span."""
        try:
            load, _ = self._load(observation, memory)
            if self.completions is not None:
                completed = observation.reading(self.completions)
                return Progress(load.waiting, max(0.0, completed.value), load.job_seconds, completed.window_seconds)
        except MissingReadingError:
            return None
        grown = growth(samples_of(memory), observation.reading(self.waiting).at, sum_of(load.waiting, load.busy))
        if self.arrival is None or grown.seconds <= 0:
            return None
        return Progress(load.waiting, finite(max(_NONE, load.arrival - grown.per_second)), load.job_seconds, finite(grown.seconds))

    def _load(self, observation: Observation, memory: Json) -> tuple[_Load, Memory]:
        """Read the load, and measure what is not given; also return what to remember of it."""
        waiting = observation.reading(self.waiting)
        jobs, busy = max(0.0, waiting.value), _count(observation, self.busy)
        kept: Memory = memory if isinstance(memory, dict) else {}
        arrival = exact(_count(observation, self.arrival)) if self.arrival else _NONE
        completed = _count(observation, self.completions)
        if self._needs_growth:
            there = sum_of(jobs, busy)
            samples = add_sample(samples_of(kept), waiting.at, there, self.measured_over_seconds)
            kept = {**kept, "jobs": cast("Json", samples)}
            if self.arrival is None:
                arrival = max(_NONE, exact(completed) + growth(samples, waiting.at, there).per_second)
        seconds = self._job_seconds(observation, busy, completed, kept)
        if seconds is not None and self._needs_job_time:
            kept = {**kept, "job_seconds": seconds}
        return _Load(jobs, busy, arrival, seconds), kept

    @property
    def _needs_growth(self) -> bool:
        """Whether arrivals or completions, one of the two, follow from how the jobs grow."""
        if self.arrival is None:
            return self.completions is not None and self.per_process is None
        return self.completions is None

    @property
    def _needs_job_time(self) -> bool:
        return self.job_takes_seconds is None and self.job_seconds is None and self.per_process is None

    def _job_seconds(self, observation: Observation, busy: float, completed: float, kept: Memory) -> float | None:
        if self.job_takes_seconds is not None:
            return self.job_takes_seconds
        if self.job_seconds is not None:
            seconds = observation.value(self.job_seconds)
            if seconds <= 0:
                raise MissingReadingError(self.job_seconds, f"{brief(seconds)} s is no time that a job takes")
            return seconds
        return job_time(busy, completed, kept)

    def _without_job_time(self, load: _Load, observation: Observation, kept: Memory) -> Recommendation | Missing:
        said = f"{brief(load.waiting)} waiting, {brief(load.busy)} busy"
        if load.waiting <= self.activation and load.busy == 0:
            return self._idle((0, f"{said} -> 0"), load, observation, kept)
        unknown = "no job was completed yet, so the time one job takes is not known"
        if observation.counts.desired > 0:
            return Missing(self.completions or "", unknown, kept or None)
        # From none, somebody has to begin: the first ones measure how long a job takes.
        return self._active(1, f"{said}; {unknown}: 1 to measure it", observation.now, kept)

    def _active(self, wanted: int, reason: str, now: float, kept: Memory) -> Recommendation:
        if self.idle_for_seconds:
            kept = {**kept, "active_at": now}
        if wanted < self.active_minimum:
            wanted, reason = self.active_minimum, f"{reason}; at least {self.active_minimum} while there are jobs"
        return Recommendation(wanted, reason, kept or None)

    def _idle(self, wish: tuple[int, str], load: _Load, observation: Observation, kept: Memory) -> Recommendation:
        """Want none, once the last processes have stayed for as long as they should."""
        wanted, reason = wish
        if self.activation:
            reason = f"{brief(load.waiting)} waiting, no more than the {brief(self.activation)} of activation, and none busy -> 0"
        active_at = last_active(kept)
        if active_at is not None and observation.now - active_at <= self.idle_for_seconds:
            stay = min(observation.counts.desired, max(1, wanted, self.active_minimum))
            idle = brief(observation.now - active_at)
            reason = f"{reason}; idle for {idle} s, no longer than {brief(self.idle_for_seconds)} s: {stay} stay"
            return Recommendation(stay, reason, kept)
        return Recommendation(0, reason, kept or None)

    def _wish(self, load: _Load, observation: Observation) -> tuple[int, str]:
        """Want what the formula says, and never fewer than are busy."""
        slots = observation.process_type.slots
        wanted, reason = self._per_process(load) if self.per_process is not None else self._clear(load, observation)
        if load.busy:
            keep = _ceiling(exact(load.busy), slots)
            if keep > wanted:
                return keep, f"{brief(load.busy)} busy / {slots} a process -> {keep}"
        return wanted, reason

    def _per_process(self, load: _Load) -> tuple[int, str]:
        waiting, share = exact(load.waiting), exact(self.per_process or 1.0)
        wanted = -(-waiting.numerator * share.denominator // (waiting.denominator * share.numerator))
        return wanted, f"{brief(load.waiting)} waiting / {brief(self.per_process or 1.0)} per process -> {brief(wanted)}"

    def _clear(self, load: _Load, observation: Observation) -> tuple[int, str]:
        slots = observation.process_type.slots
        exactly = self._catch_up(load, slots)
        wanted = ceiling(exactly)
        there = self._all_there(load, observation)
        if there < wanted:
            return there, self._say_all_there(load, observation, there)
        each = _rate(slots, load.job_seconds or 1.0)
        arriving = f"{brief(load.arrival)}/s / {each}/s + " if self.arrival or self.completions else ""
        waiting = f"{brief(load.waiting)} waiting / ({each}/s x {brief(self.clear_within_seconds)} s)"
        return wanted, f"{arriving}{waiting} = {quotient(exactly)} -> {brief(wanted)}"

    def _catch_up(self, load: _Load, slots: int) -> Fraction:
        """Return (arrival + waiting / clear_within) x job time / slots, in one fraction."""
        waiting, within, takes = exact(load.waiting), exact(self.clear_within_seconds), exact(load.job_seconds or 1.0)
        above, below = waiting.numerator * within.denominator, waiting.denominator * within.numerator
        if load.arrival:
            above = above * load.arrival.denominator + load.arrival.numerator * below
            below *= load.arrival.denominator
        return Fraction(above * takes.numerator, below * takes.denominator * slots)

    def _all_there(self, load: _Load, observation: Observation) -> int:
        jobs = exact(load.waiting) + exact(load.busy) if load.busy else exact(load.waiting)
        if load.arrival:
            jobs += load.arrival * _ahead(observation)
        return _ceiling(jobs, observation.process_type.slots)

    def _say_all_there(self, load: _Load, observation: Observation, there: int) -> str:
        arriving = f" + {brief(load.arrival)}/s x {brief(_ahead(observation))} s" if self.arrival or self.completions else ""
        jobs = f"({brief(load.waiting)} waiting + {brief(load.busy)} busy{arriving}) / {observation.process_type.slots} a process"
        return f"{jobs} -> {brief(there)}, no more jobs are there"


def _count(observation: Observation, metric: str | None) -> float:
    """Read a metric that may not be given, and counts 0 then; so does a negative value."""
    return max(0.0, observation.value(metric)) if metric else 0.0


def _ceiling(jobs: Fraction, slots: int) -> int:
    return -(-jobs.numerator // (jobs.denominator * slots))


def _ahead(observation: Observation) -> Fraction:
    """Return the seconds until a process that is asked for on the next tick is ready."""
    return exact(observation.startup_seconds) + exact(observation.process_type.interval_seconds)


@lru_cache(maxsize=256)
def _rate(slots: int, job_seconds: float) -> str:
    """Write the jobs a second that one process works off."""
    return brief(exact(slots) / exact(job_seconds))
