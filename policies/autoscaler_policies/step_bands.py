"""The bands of a step policy: which readings lie in one, and what it changes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Literal

from autoscaler.decide.exact import brief, quotient
from autoscaler.model import Help, Number

Rounding = Literal["down", "up", "nearest"]
Position = tuple[float, int]  # (x, 0) is the lower side of the number x, (x, 1) its upper side

_PROCESSES = re.compile(r"[+-]?[0-9]{1,9}")
_PERCENT = re.compile(r"([+-]?)([0-9]{1,9}(?:\.[0-9]{1,9})?)%")
_SIZE = re.compile(r"=([0-9]{1,9})")
_WRITTEN = "write processes such as +2 or -1, percent such as '+30%' or '-10%', or a size such as '=4'"


@dataclass(frozen=True, slots=True)
class SizeStep:
    """A change that has been read: ``amount`` processes, ``amount / of`` of the size, or to a size of ``amount``."""

    kind: Literal["processes", "percent", "size"]
    amount: int
    of: int = 1

    @property
    def direction(self) -> int:
        """Return 1 for a step outward, -1 for one inward, 0 for none and for a size, which may be either."""
        return 0 if self.kind == "size" else (self.amount > 0) - (self.amount < 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The readings between two edges, and the change they call for.

    ``change`` is a number of processes (``2``, ``-1``), a share of those there are (``"+30%"``, ``"-10%"``), or a size
    (``"=4"``); 0 holds.
    """

    change: Annotated[int | str, Help("processes such as +2 or -1, percent such as '+30%', or a size such as '=4'")]
    at_least: Annotated[float | None, Help("lower edge, in the band")] = None
    above: Annotated[float | None, Help("lower edge, not in the band")] = None
    below: Annotated[float | None, Help("upper edge, not in the band")] = None
    at_most: Annotated[float | None, Help("upper edge, in the band")] = None
    magnitude: Annotated[int | None, Number(at_least=1), Help("the least processes that a percentage changes")] = None

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for edges that hold no reading or every one, and for a change that cannot be read."""
        if self.at_least is not None and self.above is not None:
            raise ValueError(f"the band {self} has two lower edges; keep at_least or above")
        if self.below is not None and self.at_most is not None:
            raise ValueError(f"the band {self} has two upper edges; keep below or at_most")
        if not (self.is_bounded_below or self.is_bounded_above):
            raise ValueError(f"the band with change {self.change} has no edge and would act for ever; give it above, at_least, below or at_most")
        if self.begins >= self.ends:
            raise ValueError(f"the band {self} holds no reading; lower its lower edge, or raise its upper one")
        self._check_change()

    def _check_change(self) -> None:
        kind = read_change(self.change).kind
        if self.magnitude is not None and kind != "percent":
            raise ValueError(f"the band {self} has a magnitude and changes no percent; remove magnitude")
        if self.magnitude is not None and self.magnitude < 1:
            raise ValueError(f"the band {self} has magnitude {self.magnitude}; give at least 1")

    def __str__(self) -> str:
        """Write the edges: ``at least 60 and below 70``."""
        edges = (("at least", self.at_least), ("above", self.above), ("below", self.below), ("at most", self.at_most))
        return " and ".join(f"{word} {brief(edge)}" for word, edge in edges if edge is not None)

    @property
    def is_bounded_below(self) -> bool:
        """Whether some readings are too low for it."""
        return self.at_least is not None or self.above is not None

    @property
    def is_bounded_above(self) -> bool:
        """Whether some readings are too high for it."""
        return self.below is not None or self.at_most is not None

    @property
    def begins(self) -> Position:
        """Place the lower edge."""
        if self.above is not None:
            return self.above, 1
        return (-math.inf if self.at_least is None else self.at_least), 0

    @property
    def ends(self) -> Position:
        """Place the upper edge."""
        if self.below is not None:
            return self.below, 0
        return (math.inf if self.at_most is None else self.at_most), 1

    @property
    def direction(self) -> int:
        """Return 1 for a band that scales out, -1 for one that scales in, 0 for one that holds or sets a size."""
        return read_change(self.change).direction

    def holds(self, value: float) -> bool:
        """Tell whether a reading lies in the band."""
        return (
            (self.at_least is None or value >= self.at_least)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
            and (self.at_most is None or value <= self.at_most)
        )


@lru_cache(maxsize=1024)
def read_change(change: int | str) -> SizeStep:
    """Read a change as it stands in the configuration; raise ``ValueError`` with the ways to write one."""
    text = str(change)
    if _PROCESSES.fullmatch(text):
        return SizeStep("processes", int(text))
    if size := _SIZE.fullmatch(text):
        return SizeStep("size", int(size[1]))
    percent = _PERCENT.fullmatch(text)
    if percent is None:
        raise ValueError(f"the change {change!r} cannot be read; {_WRITTEN}")
    share = Fraction(percent[2]) / 100
    if share and not percent[1]:
        raise ValueError(f"the change {change!r} has no sign; write '+{change}' or '-{change}', or a size such as '=4'")
    return SizeStep("percent", -share.numerator if percent[1] == "-" else share.numerator, share.denominator)


def changed(band: Band, size: int, rounding: Rounding) -> int:
    """Return the size that a band makes of ``size``, never below 0.

    A percentage is rounded ``down``, toward no change, as AWS step scaling; ``up``, to the larger size, as Nomad's threshold; or
    to the ``nearest`` size, as Cloud Foundry. Down and nearest change at least one process, or ``magnitude``.
    """
    step = read_change(band.change)
    if step.kind == "size":
        return step.amount
    if step.kind == "processes" or not step.amount:
        return max(0, size + step.amount)
    return max(0, size + _of_percent(band, step, _rounded(size * step.amount, step.of, rounding), rounding))


def _of_percent(band: Band, step: SizeStep, rounded: int, rounding: Rounding) -> int:
    least = band.magnitude or (0 if rounding == "up" else 1)
    return rounded if abs(rounded) >= least else least * step.direction


def _rounded(dividend: int, divisor: int, rounding: Rounding) -> int:
    if rounding == "nearest":
        return (2 * dividend + divisor) // (2 * divisor)
    return dividend // divisor if rounding == "down" and dividend > 0 else -(-dividend // divisor)


def written(band: Band, size: int, after: int, rounding: Rounding) -> str:
    """Write how a band made ``after`` of ``size``, for a pencil: ``10 +10% = 11`` or ``4 + 1 = 5``."""
    step = read_change(band.change)
    if step.kind == "size":
        return f"set to {after}"
    if step.kind == "processes":
        return f"{size} {'-' if step.amount < 0 else '+'} {abs(step.amount)} {'=' if after == size + step.amount else '->'} {after}"
    dividend = size * (step.of + step.amount)
    said = f"{size} {band.change} = {quotient(Fraction(dividend, step.of))}"
    if dividend == after * step.of:
        return said
    rounded = _rounded(size * step.amount, step.of, rounding)
    return f"{said} -> {after}" if after in (size + rounded, 0) else f"{said} -> {after}, changing at least {abs(after - size)}"


def in_order(bands: tuple[Band, ...]) -> tuple[Band, ...]:
    """Return the bands from the lowest to the highest."""
    return tuple(sorted(bands, key=lambda band: band.begins))


def check_bands(bands: tuple[Band, ...]) -> None:
    """Raise ``ValueError`` for no band, two that overlap, and a gap between neighbours of one direction."""
    if not bands:
        raise ValueError("bands is empty; give at least one, such as {above: 0.5, change: 1}")
    for lower, upper in pairwise(in_order(bands)):
        if upper.begins < lower.ends:
            raise ValueError(f"the bands {lower} and {upper} overlap; let one end where the other begins")
        if upper.begins > lower.ends and lower.direction == upper.direction != 0:
            raise ValueError(f"the bands {lower} and {upper} leave a gap in which nothing happens; let one begin where the other ends")


def open_ends(bands: tuple[Band, ...]) -> tuple[str, ...]:
    """Say in sentences beyond which outermost edge a reading does nothing though it calls for more than one within."""
    ordered = in_order(bands)
    bottom, top = ordered[0], ordered[-1]
    directions = {band.direction for band in bands} - {0}
    is_one_way = len(directions) == 1
    if is_one_way and not (top.is_bounded_above and bottom.is_bounded_below):
        return ()  # its one closed end is where the hold zone begins
    found = []
    if top.is_bounded_above and _acts(top) and directions != {-1}:
        found.append(f"a reading above the band {top} does nothing; remove its upper edge if that is not meant")
    if bottom.is_bounded_below and _acts(bottom) and directions != {1}:
        found.append(f"a reading below the band {bottom} does nothing; remove its lower edge if that is not meant")
    return tuple(found)


def _acts(band: Band) -> bool:
    step = read_change(band.change)
    return step.kind == "size" or step.direction != 0
