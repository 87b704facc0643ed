"""Count with exact fractions: a float's last bit must never cost or save a process."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

_LONG = 10**15  # from here on a number is written as 1.23e+15
_SIX_DIGITS = 10**5  # below, six digits hold a decimal


@lru_cache(maxsize=4096)
def exact(value: float) -> Fraction:
    """Return the number a person would read: 0.1 is one tenth, not its nearest binary double.

    Raises ``ValueError`` for NaN and ``OverflowError`` for an infinity.
    """
    if isinstance(value, int) or value.is_integer():
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
    """Write a number that a reason begins with, in six digits: ``brief(14.0025) == '14.0025'``, ``brief(700.0) == '700'``."""
    # Of a fraction its two whole numbers are asked: its own arithmetic takes ten times as long, and every reason is written here.
    if isinstance(value, Fraction):
        whole, is_whole = value.numerator // value.denominator, value.denominator == 1
    else:
        whole = int(value)
        is_whole = value == whole
    if not -_LONG < whole < _LONG:
        return f"{Decimal(whole):.3g}"
    if is_whole:
        return str(whole)
    return f"{float(value):.6g}" if -_SIX_DIGITS < whole < _SIX_DIGITS else f"{float(value):.2f}"


def tenths(seconds: float) -> str:
    """Write seconds that passed, or are left, to a tenth: ``tenths(46.0001) == '46'``."""
    return brief(round(float(seconds), 1))


def quotient(value: Fraction) -> str:
    """Write what a division gave: ``4.67``, and ``5.001`` where two decimals would hide that it is more than 5."""
    numerator, denominator = value.numerator, value.denominator
    if denominator == 1 or not -_LONG < numerator // denominator < _LONG:
        return brief(value)
    text = f"{numerator / denominator:.2f}".rstrip("0").rstrip(".")
    return text if "." in text else brief(value)


def rounded_up(value: Fraction) -> str:
    """Write a quotient and what it rounds up to: ``4.67 -> 5``."""
    return f"{quotient(value)} -> {brief(Fraction(ceiling(value)))}"
