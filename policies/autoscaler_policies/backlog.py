"""Size a process type to the jobs that wait for it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from autoscaler.decide.exact import brief, ceiling, exact, rounded_up
from autoscaler.model import Duration, Help, Json, Metric, Observation, Positive, Recommendation


@dataclass(frozen=True, slots=True)
class _Load:
    waiting: Fraction
    busy: Fraction
    arrival: Fraction  # jobs a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Clear the jobs that wait within a set time, and keep up with those that arrive.

    With ``job_takes``, one process works off ``rate = slots / job_takes`` jobs a second, and the policy wants::

        max(ceil(busy / slots),
            min(ceil(arrival / rate + waiting / (rate x clear_within)),
                ceil((waiting + busy + arrival x (startup + interval)) / slots)))

    The first line keeps the processes that work on a job; the last never starts more than there are jobs to do until they are
    ready. Jobs and slots are counts, ``arrival`` is jobs a second; ``arrival`` and ``busy`` count 0 when they are not given.
    With ``per_process`` instead, it wants ``ceil(waiting / per_process)``, as AWS's backlog per instance (2019).
    """

    waiting: Annotated[Metric, Help("jobs that wait")]
    busy: Annotated[Metric | None, Help("jobs being worked on; without it a process may be drained in the middle of a job")] = None
    arrival: Annotated[Metric | None, Help("jobs that arrive, a second")] = None
    job_takes_seconds: Annotated[Duration | None, Help("time one job takes")] = None
    clear_within_seconds: Annotated[Duration, Help("time in which the jobs that wait now should be begun")] = 60.0
    per_process: Annotated[Positive | None, Help("jobs that may wait for each process, in place of job_takes")] = None

    def __post_init__(self) -> None:
        """Raise ``ValueError`` unless exactly one of ``job_takes`` and ``per_process`` is given."""
        if (self.job_takes_seconds is None) == (self.per_process is None):
            raise ValueError("give either job_takes (with clear_within) or per_process")

    def warnings(self) -> tuple[str, ...]:
        """Say what works, and may surprise."""
        if self.busy is None:
            return ("busy is not given and counts 0: scale-in may drain a process that works on a job; name the metric of running jobs",)
        return ()

    def recommend(self, observation: Observation, memory: Json) -> Recommendation:  # noqa: ARG002 - the contract's; nothing to remember
        """Want the processes that keep, catch up and are never idle."""
        load = self._load(observation)
        slots = observation.process_type.slots
        wanted, reason = self._per_process(load) if self.per_process is not None else self._clear(load, observation)
        keep = ceiling(load.busy / slots)
        if keep > wanted:
            return Recommendation(keep, f"{brief(load.busy)} busy / {slots} a process -> {keep}")
        return Recommendation(wanted, reason)

    def _load(self, observation: Observation) -> _Load:
        values = (max(0.0, observation.value(metric)) if metric else 0.0 for metric in (self.waiting, self.busy, self.arrival))
        return _Load(*map(exact, values))

    def _per_process(self, load: _Load) -> tuple[int, str]:
        wanted = ceiling(load.waiting / exact(self.per_process or 1.0))
        return wanted, f"{brief(load.waiting)} waiting / {brief(exact(self.per_process or 1.0))} per process -> {wanted}"

    def _clear(self, load: _Load, observation: Observation) -> tuple[int, str]:
        catch_up = self._catch_up(load, observation.process_type.slots)
        there = self._all_there(load, observation)
        return min(catch_up, there, key=lambda wish: wish[0])

    def _catch_up(self, load: _Load, slots: int) -> tuple[int, str]:
        rate = exact(slots) / exact(self.job_takes_seconds or 1.0)
        exactly = load.arrival / rate + load.waiting / (rate * exact(self.clear_within_seconds))
        arriving = f"{brief(load.arrival)}/s / {brief(rate)}/s + " if self.arrival else ""
        waiting = f"{brief(load.waiting)} waiting / ({brief(rate)}/s x {brief(exact(self.clear_within_seconds))} s)"
        return ceiling(exactly), f"{arriving}{waiting} = {rounded_up(exactly)}"

    def _all_there(self, load: _Load, observation: Observation) -> tuple[int, str]:
        slots = observation.process_type.slots
        ahead = exact(observation.startup_seconds) + exact(observation.process_type.interval_seconds)
        jobs = load.waiting + load.busy + load.arrival * ahead
        arriving = f" + {brief(load.arrival)}/s x {brief(ahead)} s" if self.arrival else ""
        said = f"({brief(load.waiting)} waiting + {brief(load.busy)} busy{arriving}) / {slots} a process"
        return ceiling(jobs / slots), f"{said} -> {ceiling(jobs / slots)}, no more jobs are there"
