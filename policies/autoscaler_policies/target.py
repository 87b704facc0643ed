"""Keep a reading at a target by the ratio between them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Annotated

from autoscaler.decide.exact import brief, ceiling, exact, quotient
from autoscaler.model import Help, Json, Metric, MissingReadingError, Observation, Positive, Ratio, Reading, Recommendation
from autoscaler_policies.target_shares import Goal, Shares, Silent, Wish, silent_ones, take_each, total

_WHOLE = Fraction(1)  # a process that uses all of itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Scale so that a reading meets its target, after Kubernetes HPA (``replica_calculator.go``, 2016 to 2026).

    One of three targets is given:

    - ``per_process``: the reading is a total, such as requests a second, and each process carries this much of it:
      ``ceil(reading / per_process)``. A reading with a value for each process is taken process by process.
    - ``utilization``: the reading is a mean over the processes, such as their busy share (0 to 1):
      ``ceil(processes behind the reading x reading / utilization)``. With ``capacity``, it is what each process uses of what it
      may use: ``ceil(processes x sum(reading) / sum(capacity) / utilization)``.
    - ``total``: the reading itself should be this, and falls as processes are added, such as a waiting time in seconds:
      ``ceil(processes behind the reading x reading / total)``; from none, ``ceil(reading / total)``.

    A ratio of wanted processes to those there within ``1 - tolerance_in`` and ``1 + tolerance_out``, both included, changes nothing.
    Where a reading has a value for each process, a ready one without a value is taken at ``per_process``, or at the larger of 1 and
    ``utilization``, before a scale-in; it and those that start are taken at 0 before a scale-out; a wish that this turns around
    changes nothing. Neither does a scale-in while hosts do not answer, since their processes may be missing from the reading, nor
    one by a ``utilization`` above its target while some have failed.

    ``total`` is the ratio of AWS target tracking (2017) and of Nomad's target-value (2020). All of them round up, on the way in as
    well: the last process of a fraction stays. Nomad's tolerance is 0.01 both ways.
    """

    metric: Annotated[Metric, Help("the reading to keep at its target")]
    per_process: Annotated[Positive | None, Help("share of the reading that one process carries")] = None
    utilization: Annotated[Positive | None, Help("mean over the processes, in the reading's unit, usually 0 to 1")] = None
    total: Annotated[Positive | None, Help("value that the whole reading should have")] = None
    capacity: Annotated[Metric | None, Help("what each process may use; utilization is then the share of it that is used")] = None
    tolerance_out: Annotated[Ratio, Help("share above the target that does not scale out")] = 0.0
    tolerance_in: Annotated[Ratio, Help("share below the target that does not scale in")] = 0.1

    def __post_init__(self) -> None:
        """Raise ``ValueError`` unless exactly one target is given, and ``capacity`` with ``utilization`` only."""
        if sum(target is not None for target in (self.per_process, self.utilization, self.total)) != 1:
            raise ValueError("give exactly one of per_process, utilization and total")
        if self.capacity is not None and self.utilization is None:
            raise ValueError("capacity is for utilization only; give utilization, or remove capacity")

    def leaves_zero(self, metrics: Collection[str]) -> bool:
        """Tell whether a first process can be wanted: a mean over none says nothing."""
        return self.utilization is None and self.metric in metrics

    def recommend(self, observation: Observation, memory: Json) -> Recommendation:  # noqa: ARG002 - the contract's; nothing to remember
        """Want the processes that bring the reading to its target."""
        wish = self._wish(observation, self._read(observation))
        counts, stay = observation.counts, observation.counts.desired
        said = f"{wish.said} = {quotient(wish.processes)}"
        processes = ceiling(wish.processes)
        if wish.is_doubtful or (counts.unknown and processes < stay):
            silent = f"the hosts of {counts.unknown} do not answer" if counts.unknown else "some give no value"
            return Recommendation(stay, f"{said}, in doubt while {silent}: {stay} stay")
        if counts.capacity and self._is_close(wish):
            return Recommendation(stay, f"{said}, within tolerance of {wish.behind}: {stay} stay")
        if counts.failed and processes < stay and self._is_over(wish):
            return Recommendation(stay, f"{said}, but above its target while {counts.failed} failed: {stay} stay")
        return Recommendation(processes, f"{said} -> {brief(processes)}")

    def projected(self, observation: Observation, processes: int) -> int:
        """Return what would be wanted if so many ready processes shared the load that is read now: no more, up to ``tolerance_out``."""
        wish = self._wish(observation, self._read(observation))
        if wish.is_doubtful:
            return observation.counts.desired
        _, high, unit = _bounds(self.tolerance_in, self.tolerance_out)
        wanted = ceiling(wish.processes)
        return min(processes, wanted) if unit * wish.processes <= high * processes else wanted

    def _read(self, observation: Observation) -> Reading:
        found = observation.reading(self.metric)
        return found if found.by_process else observation.amount(self.metric)

    def _is_close(self, wish: Wish) -> bool:
        low, high, unit = _bounds(self.tolerance_in, self.tolerance_out)
        wanted, behind = unit * wish.processes.numerator, wish.behind * wish.processes.denominator
        return low * behind <= wanted <= high * behind

    def _is_over(self, wish: Wish) -> bool:
        """Tell whether the processes that were read use more than they should, so that those that failed are missed."""
        _, high, unit = _bounds(self.tolerance_in, self.tolerance_out)
        used, target = wish.read
        return self.utilization is not None and unit * used > high * target

    def _wish(self, observation: Observation, reading: Reading) -> Wish:
        by_process = reading.by_process
        if self.total is None and (by_process or self.capacity):
            return self._each(observation, by_process or {})
        size = observation.counts.capacity
        if self.total is None and by_process is not None and size:
            raise MissingReadingError(self.metric, "no process gave a value")
        if self.per_process is not None:
            return _whole(size, reading.value, self.per_process)
        behind = observation.processes_behind(self.metric)
        if self.total is not None:
            return _by_ratio(behind, size, reading.value, self.total)
        if behind == 0:
            raise MissingReadingError(self.metric, "no process was ready, and a mean over none says nothing")
        target = self.utilization or 1.0
        return _by_ratio(behind, size, reading.value, target)._replace(read=(exact(reading.value), exact(target)))

    def _each(self, observation: Observation, used: Mapping[str, float]) -> Wish:
        counts, desired = observation.counts, observation.counts.desired
        if self.capacity is not None:
            return self._of_capacity(observation, used, self.capacity)
        target = exact(self.per_process or self.utilization or 1.0)
        assumed = target if self.per_process is not None else max(_WHOLE, target)
        missing = max(0, counts.running + counts.unknown - len(used))
        silent = Silent(missing, missing, counts.starting, counts.starting)
        return take_each(Shares(total(used.values()), len(used), len(used)), silent, Goal(target, assumed, desired, has_capacity=False))

    def _of_capacity(self, observation: Observation, used: Mapping[str, float], metric: str) -> Wish:
        capacity, counts = observation.reading(metric).by_process or {}, observation.counts
        both = [name for name in used if name in capacity]
        if len(both) < min(len(used), counts.running) or not both:
            raise self._unknown(used, metric, next((name for name in sorted(used) if name not in capacity), None))
        known = Shares(total(used[name] for name in both), total(capacity[name] for name in both), len(both))
        if known.available == 0:
            raise MissingReadingError(metric, "no process has any")
        silent = silent_ones(known, used, capacity, (max(0, counts.running + counts.unknown - len(both)), counts.starting))
        target = exact(self.utilization or 1.0)
        return take_each(known, silent, Goal(target, max(_WHOLE, target), counts.desired, has_capacity=True))

    def _unknown(self, used: Mapping[str, float], metric: str, name: str | None) -> MissingReadingError:
        if not used:
            return MissingReadingError(self.metric, "no process gave a value")
        return MissingReadingError(metric, f"{name} has no capacity")


@lru_cache(maxsize=256)
def _bounds(tolerance_in: float, tolerance_out: float) -> tuple[int, int, int]:
    """Return the ratios that change nothing as whole numbers of one unit, and that unit."""
    low, high = 1 - exact(tolerance_in), 1 + exact(tolerance_out)
    return low.numerator * high.denominator, high.numerator * low.denominator, low.denominator * high.denominator


def _whole(size: int, value: float, target: float) -> Wish:
    """Divide a total by what one process carries."""
    return Wish(_divide(1, value, target), size, f"{brief(value)} / {brief(target)} per process")


def _by_ratio(behind: int, size: int, value: float, target: float) -> Wish:
    """Multiply the processes behind the reading by its ratio to the target; the result is compared with the present size."""
    said = f"{brief(value)} / {brief(target)}"
    return Wish(_divide(max(1, behind), value, target), size, f"{behind} x {said}" if behind else said)


def _divide(times: int, value: float, by: float) -> Fraction:
    above, below = exact(value), exact(by)
    return Fraction(times * above.numerator * below.denominator, above.denominator * below.numerator)
