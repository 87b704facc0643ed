"""Read the ranges that a scenario expects figures in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import isfinite

from autoscaler.config.part import Part
from autoscaler.config.wording import suggest, unlike
from autoscaler_simulations.scenario.expectation import FIGURES, Expectation

_TWO = 2  # bounds of a range


def read_expectations(part: Part) -> tuple[Expectation, ...]:
    """Read figures by process type; what is wrong with them is reported. Whether there are such types is not checked here."""
    return tuple(_expectations(part))


def _expectations(part: Part) -> Iterator[Expectation]:
    for name, figures in _items(part, "process types with their figures, such as `web: {process_hours: [1, 2]}`"):
        of_type = part.at(name, figures)
        for figure, bounds in _items(of_type, "figures with their ranges, such as `process_hours: [1, 2]`"):
            yield from _expectation(name, figure, of_type.at(figure, bounds))


def _items(part: Part, example: str) -> Iterable[tuple[str, object]]:
    if part.data is None:
        return ()
    if not isinstance(part.data, dict):
        part.report.at_value(part.path, unlike(part.data, "a mapping", example))
        return ()
    return tuple(part.data.items())


def _expectation(name: str, figure: str, part: Part) -> Iterator[Expectation]:
    if figure not in FIGURES:
        part.report.at_key(part.path, f"the result has no such figure; {suggest(figure, FIGURES)}")
        return
    bounds = part.data if isinstance(part.data, list) else []
    numbers = [float(bound) for bound in bounds if _is_bound(bound)]
    if not len(bounds) == len(numbers) == _TWO:
        part.report.at_value(part.path, _no_range(part.data))
    elif numbers[0] > numbers[1]:
        part.report.at_value(part.path, f"the range begins above its end; write [{bounds[1]}, {bounds[0]}]")
    else:
        yield Expectation(name, figure, *numbers)


def _is_bound(bound: object) -> bool:
    return isinstance(bound, int | float) and not isinstance(bound, bool) and isfinite(bound)


def _no_range(value: object) -> str:
    example = "its lowest and its highest value, such as [1, 2]"
    return f"a range has two finite numbers; write {example}" if isinstance(value, list) else unlike(value, "a range", example)
