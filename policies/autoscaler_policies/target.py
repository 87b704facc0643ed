"""Keep a reading at a target by the ratio between them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from autoscaler.decide.exact import brief, ceiling, exact, quotient, rounded_up
from autoscaler.model import Help, Json, Metric, MissingReadingError, Observation, Positive, Ratio, Reading, Recommendation


@dataclass(frozen=True, slots=True)
class _Wish:
    ratio: Fraction  # of the reading to its target at the present size
    processes: Fraction  # that meet the target, not yet rounded up
    said: str
    is_doubtful: bool = False  # what is not known of some processes could turn it around


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Scale so that a reading meets its target, after Kubernetes HPA (``replica_calculator.go``, 2016 to 2026).

    One of three targets is given:

    - ``per_process``: the reading is a total, such as requests a second, and each process carries this much of it:
      ``ceil(reading / per_process)``. A reading with a value for each process is taken process by process.
    - ``utilization``: the reading is a mean over the processes, such as their busy share (0 to 1):
      ``ceil(processes behind the reading x reading / utilization)``.
    - ``total``: the reading itself should be this, and falls as processes are added, such as a waiting time in seconds:
      ``ceil(processes behind the reading x reading / total)``; from none, ``ceil(reading / total)``.

    A ratio of reading to target within ``1 - tolerance_in`` and ``1 + tolerance_out``, both included, changes nothing.
    """

    metric: Annotated[Metric, Help("the reading to keep at its target")]
    per_process: Annotated[Positive | None, Help("share of the reading that one process carries")] = None
    utilization: Annotated[Positive | None, Help("mean over the processes, in the reading's unit, usually 0 to 1")] = None
    total: Annotated[Positive | None, Help("value that the whole reading should have")] = None
    tolerance_out: Annotated[Ratio, Help("share above the target that does not scale out")] = 0.0
    tolerance_in: Annotated[Ratio, Help("share below the target that does not scale in")] = 0.1

    def __post_init__(self) -> None:
        """Raise ``ValueError`` unless exactly one target is given."""
        if sum(target is not None for target in (self.per_process, self.utilization, self.total)) != 1:
            raise ValueError("give exactly one of per_process, utilization and total")

    def recommend(self, observation: Observation, memory: Json) -> Recommendation:  # noqa: ARG002 - the contract's; nothing to remember
        """Want the processes that bring the reading to its target."""
        wish = self._wish(observation, observation.reading(self.metric))
        stay = observation.counts.desired
        if wish.is_doubtful:
            return Recommendation(stay, f"{wish.said} = {quotient(wish.processes)}, in doubt while some give no value: {stay} stay")
        if self._is_close(wish.ratio, observation.counts.capacity):
            return Recommendation(stay, f"{wish.said} = {quotient(wish.processes)}, within tolerance of {stay}")
        return Recommendation(ceiling(wish.processes), f"{wish.said} = {rounded_up(wish.processes)}")

    def _is_close(self, ratio: Fraction, size: int) -> bool:
        return size > 0 and 1 - exact(self.tolerance_in) <= ratio <= 1 + exact(self.tolerance_out)

    def _wish(self, observation: Observation, reading: Reading) -> _Wish:
        if reading.by_process and self.total is None:
            return self._each(observation, list(reading.by_process.values()))
        if self.per_process is not None:
            return _whole(observation.counts.capacity, exact(max(0.0, reading.value)), exact(self.per_process))
        behind = observation.processes_behind(self.metric)
        if behind == 0 and self.utilization is not None:
            raise MissingReadingError(self.metric, "no process was ready, and a mean over none says nothing")
        return _by_ratio(behind, observation.counts.capacity, exact(max(0.0, reading.value)), exact(self.total or self.utilization or 1.0))

    def _each(self, observation: Observation, values: list[float]) -> _Wish:
        """Take the processes one by one, filling in those without a value in the conservative way of HPA."""
        target = exact(self.per_process or self.utilization or 1.0)
        total = sum((exact(max(0.0, value)) for value in values), start=Fraction(0))
        ratio = total / (target * len(values))
        missing = max(0, observation.counts.running - len(values))
        starting = observation.counts.starting
        if not missing and not (starting and ratio > 1):
            return _Wish(ratio, total / target, f"{brief(total)} over {_some(len(values))} / {brief(target)} each")
        return _fill(_Known(total, len(values), missing, starting), ratio, target, observation.counts.capacity)


@dataclass(frozen=True, slots=True)
class _Known:
    total: Fraction  # of the processes that answered
    answered: int
    missing: int  # ready processes without a value
    starting: int


def _fill(known: _Known, ratio: Fraction, target: Fraction, size: int) -> _Wish:
    """Assume what argues against a change: the target for a missing process when scaling in, nothing when scaling out."""
    if ratio <= 1:
        total, processes = known.total + known.missing * target, known.answered + known.missing
        said = f"({brief(known.total)} over {_some(known.answered)} + {known.missing} without a value at {brief(target)}) / {brief(target)} each"
    else:
        total, processes = known.total, known.answered + known.missing + known.starting
        said = f"{brief(total)} over {known.answered} of {_some(processes)} / {brief(target)} each"
    again, wanted = total / (target * processes), ceiling(total / target)
    turns = (again > 1) != (ratio > 1) or (again > 1 and wanted < size) or (again < 1 and wanted > size)
    return _Wish(again, total / target, said, turns and again != 1)


def _whole(size: int, value: Fraction, target: Fraction) -> _Wish:
    """Divide a total by what one process carries; the ratio is measured at the present size."""
    ratio = value / (target * size) if size else Fraction(0)
    return _Wish(ratio, value / target, f"{brief(value)} / {brief(target)} per process")


def _by_ratio(behind: int, size: int, value: Fraction, target: Fraction) -> _Wish:
    """Multiply the processes behind the reading by its ratio to the target, and compare the result with the present size."""
    wanted = max(1, behind) * value / target
    said = f"{behind} x {brief(value)} / {brief(target)}" if behind else f"{brief(value)} / {brief(target)}"
    return _Wish(wanted / size if size else Fraction(0), wanted, said)


def _some(processes: int) -> str:
    return "1 process" if processes == 1 else f"{processes} processes"
