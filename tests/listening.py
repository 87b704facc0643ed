"""A listener that keeps what it is told."""

from __future__ import annotations

from autoscaler.events import Notice, Tick


class Listening:
    """Keeps every tick and every notice."""

    def __init__(self) -> None:
        self.ticks: list[Tick] = []
        self.notices: list[Notice] = []

    def ticked(self, tick: Tick) -> None:
        self.ticks.append(tick)

    def noticed(self, notice: Notice) -> None:
        self.notices.append(notice)
