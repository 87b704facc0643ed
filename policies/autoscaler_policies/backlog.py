"""Size a process type to the jobs that wait for it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, NamedTuple, cast

from autoscaler.decide.exact import brief, ceiling, exact, quotient, tenths
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
from autoscaler_policies.backlog_load import Growth, Memory, add_sample, finite, growth, is_steady, job_time, last_active, mean, samples_of, sum_of

_NONE = Fraction(0)
_HUGE = 1e290  # more are never busy, and what is added up of them stays finite
_CLEAR_WITHIN = _MEASURED_OVER = 60.0  # seconds


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

    What is not given is measured from ``completions``: the time of a job as mean ``busy / completions`` by Little's law (1961), and the
    arrivals as ``completions`` and what ``waiting + busy`` grew a second over the same window. The last known time stays while
    nothing is completed, and until that whole window lies after the last change of the ready processes by more than a tenth; so
    do the last known arrivals, until ``waiting`` was read for one window.

    After KEDA (2019), whether there is anything to do is apart from how much: while no more than ``activation`` jobs wait and none
    is worked on, it wants none, whatever the formula says; above it at least ``active_minimum``. Once there is nothing to do, the
    last processes stay for ``idle_for``. Without an ``activation``, arrivals alone are something to do.
    """

    waiting: Annotated[Metric, Help("jobs that wait")]
    busy: Annotated[Metric | None, Help("jobs being worked on; without it a process may be drained in the middle of a job")] = None
    arrival: Annotated[Metric | None, Help("jobs that arrive, a second")] = None
    completions: Annotated[Metric | None, Help("jobs that are completed, a second, with their window; measures what is not given")] = None
    job_takes_seconds: Annotated[Duration | None, Help("time one job takes")] = None
    job_seconds: Annotated[Metric | None, Help("metric of the seconds one job takes, in place of job_takes")] = None
    clear_within_seconds: Annotated[Duration, Help("time in which the jobs that wait now should be begun")] = _CLEAR_WITHIN
    per_process: Annotated[Positive | None, Help("jobs that may wait for each process, in place of the time one job takes")] = None
    activation: Annotated[float, Number(at_least=0), Help("so many jobs may wait before the first process is started")] = 0.0
    active_minimum: Annotated[Processes, Help("the fewest processes while there is something to do")] = 1
    idle_for_seconds: Annotated[DurationOrZero, Help("how long the last processes stay once there is nothing to do")] = 0.0
    measured_over_seconds: Annotated[Duration, Help("span over which arrivals are measured, where completions name no window")] = _MEASURED_OVER

    def __post_init__(self) -> None:
        """Raise ``ValueError`` unless there is exactly one way to count processes."""
        given = sum(way is not None for way in (self.job_takes_seconds, self.job_seconds, self.per_process))
        if given > 1:
            raise ValueError("give either job_takes (with clear_within), or job_seconds, or per_process; keep one of them")
        if given == 0 and (self.busy is None or self.completions is None):
            raise ValueError("give either job_takes (with clear_within), or job_seconds, or per_process, or both busy and completions")

    def warnings(self) -> tuple[str, ...]:
        """Say what works, and may surprise."""
        surprises = {
            "busy is not given and counts 0: scale-in may drain a process that works on a job; name the metric of running jobs": self.busy is None,
            "clear_within changes nothing beside per_process, which knows no time; remove one of them": (
                self.per_process is not None and self.clear_within_seconds != _CLEAR_WITHIN
            ),
            "arrival adds no processes beside per_process, which counts the jobs that wait; give job_takes in place of per_process": (
                self.per_process is not None and self.arrival is not None
            ),
            "measured_over changes nothing, as no arrivals are measured; remove it, or give completions and no arrival": (
                self.measured_over_seconds != _MEASURED_OVER and not self._needs_growth
            ),
        }
        return tuple(sentence for sentence, is_so in surprises.items() if is_so)

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
                done = observation.amount(self.completions)
                return Progress(load.waiting, done.value, done.at, load.job_seconds, done.window_seconds)
        except MissingReadingError:
            return None
        at = observation.reading(self.waiting).at
        grown = growth(samples_of(memory), at, sum_of(load.waiting, load.busy), self.measured_over_seconds)
        if self.arrival is None or grown.seconds <= 0:
            return None
        completed = finite(max(_NONE, load.arrival - grown.per_second))
        return Progress(load.waiting, completed, at, load.job_seconds, finite(grown.seconds))

    def _load(self, observation: Observation, memory: Json) -> tuple[_Load, Memory]:
        """Read the load, and measure what is not given; also return what to remember of it."""
        kept: Memory = memory if isinstance(memory, dict) else {}
        waiting, busy, completed = (_count(observation, metric) for metric in (self.waiting, self.busy, self.completions))
        arrival = exact(_count(observation, self.arrival)) if self.arrival else _NONE
        if self._needs_growth:
            at, there = observation.reading(self.waiting).at, sum_of(waiting, busy)
            samples = add_sample(samples_of(kept), at, there, self.measured_over_seconds)
            kept = {**kept, "jobs": cast("Json", samples)}
            if self.arrival is None:
                grown = growth(samples, at, there, self._window(observation) or self.measured_over_seconds)
                arrival, kept = self._arrival(observation, completed, grown, kept)
        seconds, kept = self._job_seconds(observation, (busy, completed), kept)
        return _Load(waiting, busy, arrival, seconds), kept

    def _arrival(self, observation: Observation, completed: float, grown: Growth, kept: Memory) -> tuple[Fraction, Memory]:
        measured, window = max(_NONE, exact(completed) + grown.per_second), self._window(observation)
        # Over one and the same span, what is completed and what is left over add up to what arrived, whatever changed meanwhile.
        if grown.seconds == window > 0 or is_steady(observation, self.completions or "", max(window, float(grown.seconds))):
            return measured, {**kept, "arrival": finite(measured)}
        last = cast("float | None", kept.get("arrival"))
        return measured if last is None else exact(last), kept

    def _window(self, observation: Observation) -> float:
        """Return the seconds that the completions were averaged over."""
        return observation.reading(self.completions or "").window_seconds

    def _is_steady(self, observation: Observation) -> bool:
        return is_steady(observation, self.completions or "", self._window(observation)) and is_steady(observation, self.busy or "", 0.0)

    @property
    def _needs_growth(self) -> bool:
        """Whether arrivals or completions, one of the two, follow from how the jobs grow."""
        if self.arrival is None:
            return self.completions is not None and self.per_process is None
        return self.completions is None

    def _job_seconds(self, observation: Observation, load: tuple[float, float], kept: Memory) -> tuple[float | None, Memory]:
        if self.per_process is not None or self.job_takes_seconds is not None:
            return self.job_takes_seconds, kept
        if self.job_seconds is None:
            return self._measured_seconds(observation, load, kept)
        seconds = observation.value(self.job_seconds)
        if seconds <= 0:
            raise MissingReadingError(self.job_seconds, f"{brief(seconds)} s is no time that a job takes")
        return seconds, kept

    def _measured_seconds(self, observation: Observation, load: tuple[float, float], kept: Memory) -> tuple[float | None, Memory]:
        """Divide the mean of ``busy`` by what was completed in the same window."""
        (busy, completed), at, window = load, observation.reading(self.busy or "").at, self._window(observation)
        if window > 0:
            busy, samples = min(busy, _HUGE), samples_of(kept, "busy")
            kept = {**kept, "busy": cast("Json", add_sample(samples, at, busy, window))}
            busy = mean(samples, at, busy, window)
        measured = job_time(busy, completed)
        if measured is None or not self._is_steady(observation):
            return cast("float | None", kept.get("job_seconds")), kept
        return measured, {**kept, "job_seconds": measured}

    def _without_job_time(self, load: _Load, observation: Observation, kept: Memory) -> Recommendation | Missing:
        said = f"{brief(load.waiting)} waiting, {brief(load.busy)} busy"
        if load.waiting <= self.activation and load.busy == 0:
            return self._idle((0, f"{said} -> 0"), load, observation, kept)
        changed = f"other processes were ready within the {brief(self._window(observation))} s of {self.completions}"
        unknown = f"{'no job was completed yet' if self._is_steady(observation) else changed}, so the time one job takes is not known"
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
            idle = tenths(observation.now - active_at)
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
    return observation.amount(metric).value if metric else 0.0


def _ceiling(jobs: Fraction, slots: int) -> int:
    return -(-jobs.numerator // (jobs.denominator * slots))


def _ahead(observation: Observation) -> Fraction:
    """Return the seconds until a process that is asked for on the next tick is ready."""
    return exact(observation.startup_seconds) + exact(observation.process_type.interval_seconds)


@lru_cache(maxsize=256)
def _rate(slots: int, job_seconds: float) -> str:
    """Write the jobs a second that one process works off."""
    return brief(exact(slots) / exact(job_seconds))
