"""Count with exact fractions: a float's last bit must never cost or save a process."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

_LONG = 10**15  # from here on a number is written as 1.23e+15


@lru_cache(maxsize=4096)
def exact(value: float) -> Fraction:
    """Return the number a person would read: 0.1 is one tenth, not its nearest binary double.

    Raises ``ValueError`` for NaN and ``OverflowError`` for an infinity.
    """
    if float(value).is_integer():
        return Fraction(int(value))
    return Fraction(repr(value))


def ceiling(value: Fraction) -> int:
    """Round up without error; ``ceiling(Fraction(7, 2)) == 4``."""
    return -(-value.numerator // value.denominator)


def ceiling_of_percent(size: int, percent: int) -> int:
    """Return ``size`` x ``percent`` / 100, rounded up: ``ceiling_of_percent(100, 110) == 110``, where floats give 111."""
    return -(-size * percent // 100)


def floor_of_percent(size: int, percent: int) -> int:
    """Return ``size`` x ``percent`` / 100, rounded down."""
    return size * percent // 100


def brief(value: Fraction | float) -> str:
    """Write a number for a reason: at most two decimals, no trailing zeros; ``brief(4.6667) == '4.67'``."""
    whole = int(value)
    if abs(whole) >= _LONG:
        return f"{Decimal(whole):.3g}"
    text = f"{float(value):.2f}".rstrip("0").rstrip(".")
    return text if text not in {"0", "-0"} or value == 0 else f"{float(value):.2g}"


def rounded_up(value: Fraction) -> str:
    """Write a quotient and what it rounds up to: ``4.67 -> 5``, and ``5.001 -> 6`` where two decimals would hide why."""
    text = brief(value)
    if "." not in text and value.denominator != 1:
        text = f"{float(value):.6g}"
    return f"{text} -> {brief(Fraction(ceiling(value)))}"
