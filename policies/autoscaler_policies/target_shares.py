"""Take a reading process by process, and assume what argues against a change for those that give no value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import fsum
from typing import NamedTuple

from autoscaler.decide.exact import brief, ceiling

_PART, _SHORT = 1e6, 1e9  # below a thousand million, a number of millionths has at most 15 digits, as many as a double keeps
_ALL_WHOLE = 2.0**53  # from here on, every double is a whole number


class Wish(NamedTuple):
    """How many processes meet the target, not yet rounded up, and how many of them the same reading now counts for."""

    processes: Fraction
    behind: int  # the ratio of the reading to its target is processes / behind
    said: str
    is_doubtful: bool = False  # what is not known of some processes could turn it around
    read: tuple[Fraction, Fraction] = (Fraction(0), Fraction(1))  # what is used, and what should be: of a mean, else never too much


class Shares(NamedTuple):
    """What some processes use, of what they may use."""

    used: Fraction
    available: Fraction | int  # one for each process where no capacity is known
    processes: int


class Silent(NamedTuple):
    """The processes without a value: ready ones, and those that still start, each with what they may use."""

    missing: int = 0
    missing_available: Fraction | int = 0
    starting: int = 0
    starting_available: Fraction | int = 0


class Goal(NamedTuple):
    """What the processes should use, as a share of what they may, and what a silent one is taken to use before a scale-in."""

    target: Fraction
    assumed: Fraction
    desired: int  # processes, as last told to the backend
    has_capacity: bool


def total(values: Iterable[float]) -> Fraction:
    """Add without error; negative values count 0.

    A value of up to six decimals counts as a person reads it, 0.1 as one tenth, and a longer one as the double that it is.
    """
    read = [value for value in values if value > 0]
    parts = [int(value * _PART + 0.5) if value < _SHORT else 0 for value in read]
    longer = [value for value, part in zip(read, parts, strict=True) if part / _PART != value]
    if not longer:
        return Fraction(sum(parts), int(_PART))
    short = sum(part for value, part in zip(read, parts, strict=True) if part / _PART == value) if len(longer) < len(read) else 0
    return Fraction(short, int(_PART)) + _total_of_doubles(longer)


def _total_of_doubles(values: list[float]) -> Fraction:
    added = Fraction(sum(int(value) for value in values if value >= _ALL_WHOLE))
    rest = [value for value in values if value < _ALL_WHOLE]
    # Each sum is the nearest double to the exact one; what is left over is added in turn, until nothing is.
    while part := fsum(rest):
        added += Fraction(part)
        rest.append(-part)
    return added


def take_each(known: Shares, silent: Silent, goal: Goal) -> Wish:
    """Wish by the processes one by one, after Kubernetes HPA (``replica_calculator.go``, 2016 to 2026).

    Before a scale-in, a ready process without a value is taken to use ``goal.assumed`` of its capacity; before a scale-out,
    it and those that start are taken to use nothing. A wish that this turns around is doubtful.
    """
    if not silent.missing and not silent.starting:
        return _wish(known, known, goal)
    needed = known.available * goal.target
    if known.used < needed and silent.missing:
        filled = _fill(known, silent, goal)
    elif known.used > needed and (silent.missing or silent.starting):
        filled = _leave_empty(known, silent)
    else:
        return _wish(known, known, goal)
    wish = _wish(known, filled, goal)
    return wish._replace(is_doubtful=_turns(wish, goal.desired, is_out=known.used > needed))


def silent_ones(known: Shares, used: Mapping[str, float], capacity: Mapping[str, float], silent: tuple[int, int]) -> Silent:
    """Find what processes without a value may use; the largest are the ready ones, a process without a capacity has the mean."""
    missing, starting = silent
    mean = Fraction(known.available) / known.processes
    others = sorted((max(0.0, value) for name, value in capacity.items() if name not in used), reverse=True)
    first, then = others[:missing], others[missing : missing + starting]
    return Silent(missing, total(first) + (missing - len(first)) * mean, starting, total(then) + (starting - len(then)) * mean)


def _wish(known: Shares, filled: Shares, goal: Goal) -> Wish:
    return Wish(_processes(filled, goal), filled.processes, _say(known, filled, goal), read=(known.used, known.available * goal.target))


def _processes(shares: Shares, goal: Goal) -> Fraction:
    if not goal.has_capacity:
        return shares.used / goal.target
    return shares.used * shares.processes / (shares.available * goal.target)


def _fill(known: Shares, silent: Silent, goal: Goal) -> Shares:
    used = known.used + silent.missing_available * goal.assumed
    return Shares(used, known.available + silent.missing_available, known.processes + silent.missing)


def _leave_empty(known: Shares, silent: Silent) -> Shares:
    available = known.available + silent.missing_available + silent.starting_available
    return Shares(known.used, available, known.processes + silent.missing + silent.starting)


def _turns(wish: Wish, desired: int, *, is_out: bool) -> bool:
    """Tell whether the filled ratio points the other way, or its count moves against it."""
    if wish.processes == wish.behind:
        return False
    if (wish.processes > wish.behind) != is_out:
        return True
    wanted = ceiling(wish.processes)
    return wanted < desired if is_out else wanted > desired


def _say(known: Shares, filled: Shares, goal: Goal) -> str:
    used, target, silent = brief(known.used), brief(goal.target), filled.processes - known.processes
    if goal.has_capacity:
        assumed = f"({used} + {brief(filled.used - known.used)} for {silent} without a value)" if silent else used
        return f"{some(filled.processes)} x {assumed} / {brief(filled.available)} used / {target}"
    if filled.used != known.used:
        return f"({used} over {some(known.processes)} + {silent} without a value at {brief(goal.assumed)}) / {target} each"
    of = f"{known.processes} of " if silent else ""
    return f"{used} over {of}{some(filled.processes)} / {target} each"


def some(processes: int) -> str:
    """Count processes in words: ``1 process``, ``2 processes``."""
    return "1 process" if processes == 1 else f"{processes} processes"
