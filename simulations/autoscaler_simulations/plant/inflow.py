"""Hand out the arrivals of a load in turn, block by block."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator

import numpy as np

from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.load.arrivals import Block

_MOST = 2048  # jobs looked at together: a list of them is made anew for each look


class _Loaded:
    """A block, also as lists, which a loop in Python reads faster, and as sums, which tell the age of any part of it."""

    __slots__ = ("arrivals", "begins", "block", "services", "sums")

    def __init__(self, block: Block) -> None:
        self.block, self.begins = block, block.begins
        self.arrivals: list[float] = block.arrivals.tolist()
        self.services: list[float] = block.services.tolist()
        self.sums = np.concatenate(([0.0], np.cumsum(block.arrivals - block.begins)))

    def ages(self, first: int, end: int, now: float) -> float:
        """Sum how long ago the jobs ``first`` up to ``end`` arrived."""
        return (end - first) * (now - self.begins) - float(self.sums[end] - self.sums[first])


class Inflow:
    """A queue in front of the slots that is no list: what has come and what was taken are two places in the blocks."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        """Take consecutive blocks, each pulled when time reaches its beginning."""
        self._blocks, self._loaded = blocks, deque[_Loaded]()
        self._ends = -math.inf  # of the last block that was pulled; infinite after the last one of all
        self._next = 0  # job of the first block that is taken next
        self._before = 0  # jobs in the blocks before the last one
        self._come = 0  # jobs of the last block that have arrived
        self.taken = 0

    @property
    def arrived(self) -> int:
        """Count the jobs that arrived up to the time last given to ``come``."""
        return self._before + self._come

    @property
    def waiting(self) -> int:
        """Count those of them that are not taken."""
        return self.arrived - self.taken

    def come(self, now: float) -> None:
        """Note which jobs have arrived up to ``now``, that moment included."""
        while self._ends <= now:
            self._pull()
        if self._loaded:
            self._come = bisect_right(self._loaded[-1].arrivals, now, self._come)

    def offer(self, until: float) -> tuple[list[float], list[float]]:
        """Look at the next jobs that arrive up to ``until``, some thousands at most: arrivals, services; none when there are no more."""
        while not self._loaded or self._next == len(self._loaded[0].arrivals):
            if len(self._loaded) > 1:
                self._loaded.popleft()
                self._next = 0
            elif self._ends <= until:
                self._pull()
            else:
                return [], []
        head = self._loaded[0]
        end = bisect_right(head.arrivals, until, self._next, min(self._next + _MOST, len(head.arrivals)))
        return head.arrivals[self._next : end], head.services[self._next : end]

    def take(self, number: int) -> tuple[Floats, Floats]:
        """Take so many of the jobs that were offered last: arrivals, services."""
        part, block = slice(self._next, self._next + number), self._loaded[0].block
        self._next += number
        self.taken += number
        return block.arrivals[part], block.services[part]

    def ages(self, now: float) -> float:
        """Sum how long the waiting jobs have waited."""
        total, first = 0.0, self._next
        for loaded in self._loaded:
            end = self._come if loaded is self._loaded[-1] else len(loaded.arrivals)
            total, first = total + loaded.ages(first, end, now), 0
        return total

    def waiting_arrivals(self) -> list[Floats]:
        """Return when the waiting jobs arrived, ascending, an array for each block."""
        ends = [self._come if loaded is self._loaded[-1] else len(loaded.arrivals) for loaded in self._loaded]
        firsts = [self._next, *[0] * len(ends)]
        return [loaded.block.arrivals[first:end] for loaded, first, end in zip(self._loaded, firsts, ends, strict=False)]

    def oldest(self) -> float | None:
        """Return when the first of the waiting jobs arrived, ``None`` when none waits."""
        return next((float(arrivals[0]) for arrivals in self.waiting_arrivals() if len(arrivals)), None)

    def _pull(self) -> None:
        block = next(self._blocks, None)
        if block is None:
            self._ends = math.inf
            return
        self._before += len(self._loaded[-1].arrivals) if self._loaded else 0
        self._ends, self._come = block.ends, 0
        self._loaded.append(_Loaded(block))
