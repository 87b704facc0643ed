"""Sliding minimum and maximum of past sizes, kept as short as the answer needs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sized:
    """At ``now`` (monotonic seconds), ``processes`` were wanted."""

    now: float
    processes: int


def push_lowest(window: tuple[Sized, ...], newest: Sized, span_seconds: float) -> tuple[Sized, ...]:
    """Add a size, forget those older than ``span_seconds`` and those that can no longer be the lowest."""
    kept = [old for old in window if old.processes < newest.processes and newest.now - old.now < span_seconds]
    return (*kept, newest)


def push_highest(window: tuple[Sized, ...], newest: Sized, span_seconds: float) -> tuple[Sized, ...]:
    """Add a size, forget those older than ``span_seconds`` and those that can no longer be the highest."""
    kept = [old for old in window if old.processes > newest.processes and newest.now - old.now < span_seconds]
    return (*kept, newest)


def lowest(window: tuple[Sized, ...], now: float, span_seconds: float) -> int | None:
    """Return the lowest size of the last ``span_seconds``; ``None`` when there is none."""
    return min((old.processes for old in window if now - old.now < span_seconds), default=None)


def highest(window: tuple[Sized, ...], now: float, span_seconds: float) -> int | None:
    """Return the highest size of the last ``span_seconds``; ``None`` when there is none."""
    return max((old.processes for old in window if now - old.now < span_seconds), default=None)
