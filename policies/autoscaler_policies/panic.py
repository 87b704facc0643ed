"""Size a process type by a calm average of its load, and by a short one while it panics."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from autoscaler.decide.exact import ceiling, exact
from autoscaler.decide.window import Sized, push_highest


class Ratio(Protocol):
    """An exact number; it need not be reduced."""

    @property
    def numerator(self) -> int:
        """Return the number above the line."""

    @property
    def denominator(self) -> int:
        """Return the number below the line, at least 1."""


@dataclass(frozen=True, slots=True)
class Averages:
    """The load of all processes together, over the stable and the panic window."""

    stable: Ratio
    panic: Ratio


@dataclass(frozen=True, slots=True)
class PanicState:
    """What lives from tick to tick."""

    since: float | None  # monotonic seconds of the last tick over the threshold; None: no panic
    most: int  # the highest count of this panic
    delayed: tuple[Sized, ...] = ()  # counts that may still be the highest of the delay, by number of tick


@dataclass(frozen=True, slots=True)
class Wish:
    """What one average asks for."""

    load: Ratio
    whole: int  # load / target, rounded up
    processes: int  # within what one step may change


@dataclass(frozen=True, slots=True)
class Sizing:
    """The count, and every step that led to it."""

    processes: int  # after the delay
    held: int  # before the delay
    wish: Wish  # the one that decided
    is_panic_wish: bool
    state: PanicState


@dataclass(frozen=True, slots=True, kw_only=True)
class PanicRule:
    """The count rule of Knative's pod autoscaler (``autoscaler.go``, 2018 to 2026), in exact fractions.

    With ``n = max(1, ready)``, an average wants ``ceil(average / target)``, between ``floor(n / scale_in_factor)`` and
    ``ceil(scale_out_factor x n)``. A panic begins, or goes on, when the panic average wants ``panic_threshold`` times ``n``. In a
    panic the higher of both counts, and never less than before in it. It ends when none began for a stable window.
    """

    target: Fraction
    total: Fraction
    panic_threshold: Fraction
    scale_out_factor: Fraction
    scale_in_factor: Fraction | None  # None: no limit
    window_seconds: float
    tick_seconds: float
    delay_seconds: float = 0.0
    activation_scale: int = 1
    burst_capacity: Fraction = Fraction(0)

    def size(self, load: Averages, ready: int, now: float, state: PanicState) -> Sizing:
        """Return how many processes the load wants at ``now``, with ``ready`` of them there."""
        present = max(1, ready)
        stable, panic = self._whole(load.stable), self._whole(load.panic)
        is_over = panic * self.panic_threshold.denominator >= self.panic_threshold.numerator * present
        since, most = self._panic_at(state, now, is_over=is_over)
        is_panic_wish = since is not None and panic > stable
        wish = self._wish(load.panic, panic, present) if is_panic_wish else self._wish(load.stable, stable, present)
        held = wish.processes if since is None else max(wish.processes, most)
        most = most if since is None else held
        delayed = self._delayed(state.delayed, held, now)
        return Sizing(delayed[0].processes if delayed else held, held, wish, is_panic_wish, PanicState(since, most, delayed))

    def fewest(self, present: int) -> int:
        """Return the lowest count that one step in may reach from ``present``."""
        factor = self.scale_in_factor
        return 0 if factor is None else present * factor.denominator // factor.numerator

    def most(self, present: int) -> int:
        """Return the highest count that one step out may reach from ``present``."""
        return -(-present * self.scale_out_factor.numerator // self.scale_out_factor.denominator)

    def excess_burst_capacity(self, panic_load: Ratio, ready: int) -> int:
        """Return how much more than the burst the ready processes could take; 0 when no burst is kept free, -1 when all is buffered."""
        if self.burst_capacity.numerator <= 0:
            return int(self.burst_capacity)
        excess = ready * self.total - self.burst_capacity - Fraction(panic_load.numerator, panic_load.denominator)
        return excess.numerator // excess.denominator

    def _whole(self, load: Ratio) -> int:
        # ceil(load / target), spelled out in integers: a division of fractions takes five times as long.
        return -(-load.numerator * self.target.denominator // (load.denominator * self.target.numerator))

    def _wish(self, load: Ratio, whole: int, present: int) -> Wish:
        processes = min(max(whole, self.fewest(present)), self.most(present))
        if whole > 0 and self.activation_scale > 1:
            processes = max(processes, self.activation_scale)
        return Wish(load, whole, processes)

    def _panic_at(self, state: PanicState, now: float, *, is_over: bool) -> tuple[float | None, int]:
        if is_over:
            return now, state.most
        if state.since is not None and now > state.since + self.window_seconds:
            return None, 0
        return state.since, state.most

    def _delayed(self, delayed: tuple[Sized, ...], processes: int, now: float) -> tuple[Sized, ...]:
        """Return the counts that matter to the delay, the highest first; none without a delay."""
        if self.delay_seconds <= 0:
            return ()
        ticks = ceiling(exact(self.delay_seconds) / exact(self.tick_seconds))
        return push_highest(delayed, Sized(int(now // self.tick_seconds), processes), ticks)


def begin(now: float, ready: int) -> PanicState:
    """Return the state to begin with: with more than one ready process a panic that holds them, as their load is not known yet."""
    return PanicState(now if ready > 1 else None, ready)
