"""Size a process type so that waiting stays within an objective."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Annotated, Any, cast

from autoscaler.decide.exact import brief, ceiling, exact
from autoscaler.model import Duration, DurationOrZero, Help, Json, Metric, MissingReadingError, Number, Observation, Positive, Recommendation
from autoscaler_policies.erlang import variability_of, waiting_tails

_LARGEST = 100_000  # busy slots; a larger load takes processes in proportion, under 1 % more than the formula
_BELIEVED_SECONDS = 900.0  # of arrivals without a service time, in which the last one is believed


@dataclass(frozen=True, slots=True)
class _Service:
    seconds: float
    said: str
    memory: Json
    fewest: int = 0  # processes, while a missing time is only believed: missing data never scales in
    busy: float = 0.0  # slots


@dataclass(frozen=True, slots=True)
class _Staffing:
    processes: int
    late: float  # share that waits longer
    late_with_one_less: float | None  # None: one less cannot keep up


@dataclass(frozen=True, slots=True, kw_only=True)
class Queueing:
    """Want the fewest processes with which ``percentile`` percent wait no longer than ``wait_within`` for a free slot.

    All slots (processes x ``slots``) take from one queue, as processes on a shared socket or on one job queue do, so that
    M/M/s describes them exactly::

        P(wait > t) = C(s, a) exp(-(s - a) t / service),   a = arrival x service < s

    with Erlang's C (1917; Cooper 1981). With squared coefficients of variation other than 1 the exponent is divided by their mean
    (Allen and Cunneen; Allen 1990): 0 is clockwork, 1 is Poisson arrivals or exponential service, more is burstier. Where each process has a
    queue of its own, more must be kept than this says.

    The time of service is measured by ``service``, or by ``busy`` as busy / arrival (Little 1961), or told by ``service_takes``.
    While nothing arrives it cannot be measured: the last one is remembered. Nor can ``busy`` measure it while every ready slot is
    busy, since a queue then looks like longer work: the last one is believed for 15 minutes, and after that, or where none is
    known, ``busy`` alone counts. A policy of the backlog beside this one works such a queue off. Fewer processes than ``busy``
    occupies are never wanted.
    """

    arrival: Annotated[Metric | None, Help("jobs or requests that arrive, a second")] = None
    arrival_rate: Annotated[Positive | None, Help("a set number of them, in place of arrival")] = None
    service: Annotated[Metric | None, Help("seconds that one takes, without its waiting")] = None
    busy: Annotated[Metric | None, Help("jobs or requests being worked on, in place of service; tells no time while every slot is busy")] = None
    service_takes_seconds: Annotated[Duration | None, Help("a set time, in place of service")] = None
    wait_within_seconds: Annotated[DurationOrZero, Help("the longest time in the queue that is good enough")]
    percentile: Annotated[float, Number(above=0, at_most=100), Help("percent that wait no longer than that")] = 95.0
    arrival_variability: Annotated[float, Number(at_least=0), Help("squared coefficient of variation of the times between arrivals")] = 1.0
    service_variability: Annotated[float, Number(at_least=0), Help("squared coefficient of variation of the service times")] = 1.0

    def __post_init__(self) -> None:
        """Raise ``ValueError`` unless one arrival rate and one service time are given, and for a percentile of 100."""
        if (self.arrival is None) == (self.arrival_rate is None):
            raise ValueError("give either arrival (a metric) or arrival_rate")
        if sum(given is not None for given in (self.service, self.busy, self.service_takes_seconds)) != 1:
            raise ValueError("give exactly one of service (a metric), busy (a metric) and service_takes")
        if self.percentile >= 100:  # noqa: PLR2004 - all of them
            raise ValueError("percentile 100 is what no number of processes can promise; write less, such as 99.9")

    def warnings(self) -> tuple[str, ...]:
        """Say what works, and may surprise."""
        if self.percentile > 1:
            return ()
        return (f"percentile {self.percentile:g} is {self.percentile:g} %; write {100 * self.percentile:g} for {100 * self.percentile:g} %",)

    def leaves_zero(self, metrics: Collection[str]) -> bool:
        """Tell whether a first process can be wanted: arrivals suffice, it is there to measure the time of service."""
        return self.arrival is None or self.arrival in metrics

    def recommend(self, observation: Observation, memory: Json) -> Recommendation:
        """Want the fewest processes that keep the objective, and those that are busy."""
        arrival = observation.amount(self.arrival).value if self.arrival else self.arrival_rate or 0.0
        busy = observation.amount(self.busy).value if self.busy and arrival == 0 else 0.0
        if arrival == 0:
            answer = Recommendation(0, "nothing arrives -> 0", {**_kept(memory), "without": None} if memory else None)
            return self._keep(answer, busy, observation)
        try:
            service = self._service(observation, arrival, _kept(memory))
        except MissingReadingError:
            if observation.counts.desired > 0:
                raise
            return Recommendation(1, f"{brief(exact(arrival))}/s and no time of service known: 1 process to measure it", memory)
        wanted, said = self._wish(arrival, service, observation.process_type.slots)
        if wanted < service.fewest:
            return Recommendation(service.fewest, f"{said}; no scale-in on a missing time of service: {service.fewest}", service.memory)
        return self._keep(Recommendation(wanted, said, service.memory), service.busy, observation)

    def _keep(self, answer: Recommendation, busy: float, observation: Observation) -> Recommendation:
        """Want no fewer processes than are busy."""
        slots = observation.process_type.slots
        keep = ceiling(exact(busy) / slots) if busy else 0
        if answer.processes >= keep:
            return answer
        return Recommendation(keep, f"{answer.reason}; {brief(exact(busy))} busy / {slots} a process -> {brief(keep)}", answer.memory)

    def _wish(self, arrival: float, service: _Service, slots: int) -> tuple[int, str]:
        offered = exact(arrival) * exact(service.seconds)
        said = f"{brief(exact(arrival))}/s x {service.said} = {brief(offered)} busy"
        if offered > _LARGEST:
            least = self._staff(Fraction(_LARGEST), service.seconds, slots).processes
            wanted = ceiling(least * offered / _LARGEST)
            return wanted, f"{said}, {least} processes for each {_LARGEST} -> {brief(Fraction(wanted))}"
        staffing = self._staff(offered, service.seconds, slots)
        return staffing.processes, f"{said}; {self._tell(staffing, slots)}"

    def _service(self, observation: Observation, arrival: float, kept: dict[str, Any]) -> _Service:
        """Measure the time of service, or believe the last one for a while."""
        if self.service_takes_seconds is not None:
            return _Service(self.service_takes_seconds, f"{brief(exact(self.service_takes_seconds))} s", None)
        try:
            value = observation.value(self.service or self.busy or "")
        except MissingReadingError:
            if kept["service"] is None:
                raise
            return replace(self._last(observation.now, kept, "as last measured"), fewest=observation.counts.desired)
        return self._measured(observation, value, kept) if self.service else self._by_busy(observation, value, arrival, kept)

    def _measured(self, observation: Observation, seconds: float, kept: dict[str, Any]) -> _Service:
        if 0 < seconds < float("inf"):
            return _Service(seconds, f"{brief(exact(seconds))} s", {"service": seconds, "without": None})
        return self._last(observation.now, kept, "as last measured")

    def _by_busy(self, observation: Observation, busy: float, arrival: float, kept: dict[str, Any]) -> _Service:
        """Measure busy / arrival while a slot is free."""
        seconds, slots = busy / arrival, observation.process_type.slots * observation.processes_behind(self.busy or "")
        if busy < slots or not 0 < seconds < float("inf"):
            return replace(self._measured(observation, seconds, kept), busy=max(0.0, busy))
        try:
            return replace(self._last(observation.now, kept, "as last measured, every slot is busy"), busy=busy)
        except MissingReadingError:
            said = f"{brief(exact(seconds))} s (of a queue too, maybe: every slot is busy)"
            return _Service(seconds, said, kept if kept["service"] is not None else None, busy=busy)

    def _last(self, now: float, kept: dict[str, Any], said: str) -> _Service:
        last, without = kept["service"], now if kept["without"] is None else kept["without"]
        if last is None or now - without > _BELIEVED_SECONDS:
            raise MissingReadingError(self.service or self.busy or "", "it gives no time of service, though work arrives")
        return _Service(last, f"{brief(exact(last))} s ({said})", {"service": last, "without": without})

    def _staff(self, offered: Fraction, service_seconds: float, slots: int) -> _Staffing:
        processes = offered // slots + 1  # the fewest that keep up
        variability = variability_of(self.arrival_variability, self.service_variability)
        allowed, before = float(1 - exact(self.percentile) / 100), None
        tails = waiting_tails(float(offered), processes * slots, slots, self.wait_within_seconds / service_seconds, variability)
        while (late := next(tails)) > allowed:
            processes, before = processes + 1, late
        return _Staffing(processes, late, before)

    def _tell(self, staffing: _Staffing, slots: int) -> str:
        each = f" x {slots} slots" if slots > 1 else ""
        some = "1 process" if staffing.processes == 1 else f"{staffing.processes} processes"
        within, allowed = f"{brief(exact(self.wait_within_seconds))} s", brief(100 - exact(self.percentile))
        late = f"{some}{each} wait over {within} in {_percent(staffing.late)} of cases"
        one_less = staffing.late_with_one_less
        before = "cannot keep up" if one_less is None else f"in {_percent(one_less)}"
        return f"{late}, {staffing.processes - 1} {before} (at most {allowed} %)"


def _kept(memory: Json) -> dict[str, Any]:  # Any: the shape of our own memory is known
    return cast("dict[str, Any]", memory) if memory is not None else {"service": None, "without": None}


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %" if share < 0.9995 else "100 %"  # noqa: PLR2004 - from here on three digits say 100
