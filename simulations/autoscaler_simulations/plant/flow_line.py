"""Keep who arrived when, among the requests of a flow that wait."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

_MOST_SPANS = 4096
_NOTHING = 1e-9  # requests that are no more than rounding


@dataclass(frozen=True, slots=True)
class Wait:
    """Requests that arrive evenly from ``at`` on, with waits that change evenly from the first to the last."""

    at: float
    number: float
    first: float
    last: float
    is_judged: bool  # told to the outcomes already


class Hearer(Protocol):
    """Whoever is told how long requests waited."""

    def hear(self, wait: Wait) -> None:
        """Take the waits of requests that start."""


class Line:
    """Waiting requests, first come first served: spans of time in which they arrived evenly."""

    def __init__(self, hearer: Hearer) -> None:
        """Begin empty; the waits of those that start are told to ``hearer``."""
        self._spans: deque[tuple[float, float, float, bool]] = deque()  # from, to, number, judged already
        self._hearer = hearer
        self.waited_seconds = 0.0  # of all that started

    def join(self, begins: float, ends: float, number: float, *, is_judged: bool) -> None:
        """Put requests that arrive evenly over a span at the end."""
        if number <= 0:
            return
        if len(self._spans) >= _MOST_SPANS:
            last_begins, _, last_number, is_judged = self._spans.pop()
            begins, number = last_begins, last_number + number
        self._spans.append((begins, ends, number, is_judged))

    def rejoin(self, arrived: float, number: float) -> None:
        """Put requests back at the head that arrived at one time."""
        self._spans.appendleft((arrived, arrived, number, False))

    def serve(self, begins: float, ends: float, number: float) -> None:
        """Let requests start evenly over a span, the first in the line first."""
        left = number
        while left > _NOTHING and self._spans:
            came, until, here, is_judged = self._spans[0]
            taken = min(here, left)
            cut = came + (until - came) * taken / here
            turn = begins + (ends - begins) * taken / left
            self._start(Wait(came, taken, max(0.0, begins - came), max(0.0, turn - cut), is_judged))
            begins, left = turn, left - taken
            if here - taken > _NOTHING:
                self._spans[0] = (cut, until, here - taken, is_judged)
            else:
                self._spans.popleft()

    def waiting(self) -> float:
        """Return how many wait."""
        return sum(number for _, _, number, _ in self._spans)

    def waits(self, now: float) -> list[Wait]:
        """Return how long those that wait have waited."""
        return [Wait(begins, number, now - begins, now - ends, is_judged) for begins, ends, number, is_judged in self._spans]

    def ages(self, now: float) -> float:
        """Return how long all that wait have waited together, in seconds."""
        return sum(number * (now - (begins + ends) / 2) for begins, ends, number, _ in self._spans)

    def oldest(self, now: float) -> float:
        """Return how long the first in the line has waited; 0 when nobody waits."""
        return now - self._spans[0][0] if self._spans else 0.0

    def _start(self, wait: Wait) -> None:
        self.waited_seconds += wait.number * (wait.first + wait.last) / 2
        self._hearer.hear(wait)
