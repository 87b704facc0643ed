"""Say in one line how an average of a load became a number of processes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from autoscaler.decide.exact import brief, rounded_up, tenths
from autoscaler_policies.panic import PanicRule, Sizing, Wish

_LONG = 10**15  # from here on a quotient is left to ``rounded_up``


@dataclass(frozen=True, slots=True)
class Words:
    """What every reason repeats: `` in flight over 60 s / (100 x 0.7) = `` of the stable and of the panic window."""

    stable: str
    panic: str


def sized(words: Words, rule: PanicRule, sizing: Sizing, ready: int, now: float) -> str:
    """Write the average, the division, and every limit that changed its result."""
    wish = sizing.wish
    # A division of two whole numbers instead of fractions: every tick writes a reason.
    load = brief(wish.load.numerator / wish.load.denominator)
    said = f"{load}{words.panic if sizing.is_panic_wish else words.stable}{_divided(wish, rule.target)}"
    if wish.processes != wish.whole:
        said += _limited(rule, wish, max(1, ready))
    if sizing.state.since is not None:
        left = rule.window_seconds - (now - sizing.state.since)
        said += f", panic: {sizing.held} held for {tenths(left)} s"
    return f"{said}, {sizing.processes} in the last {brief(rule.delay_seconds)} s" if sizing.processes != sizing.held else said


def _divided(wish: Wish, target: Fraction) -> str:
    dividend, divisor = wish.load.numerator * target.denominator, wish.load.denominator * target.numerator
    if wish.whole >= _LONG:
        return rounded_up(Fraction(dividend, divisor))
    if dividend == wish.whole * divisor:
        return f"{wish.whole} -> {wish.whole}"
    text = f"{dividend / divisor:.2f}".rstrip("0").rstrip(".")
    return f"{text} -> {wish.whole}" if "." in text else rounded_up(Fraction(dividend, divisor))


def _limited(rule: PanicRule, wish: Wish, present: int) -> str:
    if wish.processes < wish.whole:
        return f", {wish.processes} at most: {present} ready x {brief(rule.scale_out_factor)}"
    if rule.scale_in_factor is not None and wish.processes == rule.fewest(present):
        return f", {wish.processes} at least: {present} ready / {brief(rule.scale_in_factor)}"
    return f", {wish.processes} at least under load"
