"""Compute the number of processes from a formula in the configuration."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from autoscaler.decide.exact import brief, ceiling, exact, rounded_up
from autoscaler.model import Help, Json, Metric, Missing, Observation, Recommendation
from autoscaler_policies.formula import FUNCTIONS, Formula, Value, read_formula

_OWN: Mapping[str, Callable[[Observation], float]] = {
    "desired": lambda seen: seen.counts.desired,
    "running": lambda seen: seen.counts.running,
    "starting": lambda seen: seen.counts.starting,
    "draining": lambda seen: seen.counts.draining,
    "failed": lambda seen: seen.counts.failed,
    "capacity": lambda seen: seen.counts.capacity,
    "minimum": lambda seen: seen.process_type.minimum,
    "maximum": lambda seen: seen.process_type.maximum,
    "slots": lambda seen: seen.process_type.slots,
    "startup": lambda seen: seen.startup_seconds,
    "interval": lambda seen: seen.process_type.interval_seconds,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """Want what a formula gives, rounded up; less than 0 is 0.

    The formula is Python's arithmetic and nothing else of Python: ``+ - * / // %``, comparisons, ``and``, ``or``, ``not``,
    ``a if b else c`` and the functions ``abs``, ``ceil``, ``floor``, ``max``, ``min``, ``round`` (a half away from zero) and
    ``trunc``. It may use each of the ``readings`` by its name, the counts ``desired``, ``running``, ``starting``, ``draining``,
    ``failed`` and ``capacity`` (running + starting), and of the process type ``minimum``, ``maximum``, ``slots``, ``startup``
    and ``interval`` (both in seconds). All numbers are exact: ``ceil(100 * 1.1)`` is 110. A comparison counts 1 or 0.

    A division by zero makes the policy miss its data, and so does any of the readings that the formula uses when it is missing.
    """

    processes: Annotated[str, Help("formula that gives the number of processes, such as ceil(jobs / 20) + 1")]
    readings: Annotated[tuple[Metric, ...], Help("metrics that the formula may use by their names")] = ()

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a reading whose name a formula cannot hold, and for a formula that cannot be read."""
        for name in self.readings:
            if not (name.isascii() and name.isidentifier()) or keyword.iskeyword(name):
                raise ValueError(f"readings: {name!r} cannot stand in a formula; name the metric with letters, digits and _ only, such as jobs")
            if name in _OWN or name in FUNCTIONS:
                raise ValueError(f"readings: {name} means something else in a formula; give the metric another name")
        self._formula()

    def warnings(self) -> tuple[str, ...]:
        """Say what works, and may surprise."""
        unused = [name for name in self.readings if name not in self._formula().names]
        return (f"the formula does not use {', '.join(unused)}; remove it from readings, or use it",) if unused else ()

    def recommend(self, observation: Observation, memory: Json) -> Recommendation | Missing:  # noqa: ARG002 - the contract's; nothing to remember
        """Want what the formula gives for what is read now."""
        formula = self._formula()
        values = {name: _value(name, observation) for name in formula.names}
        said = formula.text
        if values:
            said += f" with {', '.join(f'{name} {brief(value)}' for name, value in values.items())}"
        try:
            result = formula.compute(values)
        except ZeroDivisionError:
            return Missing("expression", f"{said} divides by zero; write the case of 0 into the formula, as in: 0 if jobs == 0 else ...")
        if isinstance(result, Fraction) and result.denominator != 1:
            return Recommendation(max(0, ceiling(result)), f"{said} = {rounded_up(result)}")
        return Recommendation(max(0, int(result)), f"{said} = {brief(int(result))}{' -> 0' if result < 0 else ''}")

    def _formula(self) -> Formula:
        return read_formula(self.processes, (*self.readings, *_OWN))


def _value(name: str, observation: Observation) -> Value:
    own = _OWN.get(name)
    value = own(observation) if own else observation.value(name)
    return int(value) if value == int(value) else exact(value)
