"""Let the requests of a trace arrive, block by block, each at its own time with its own work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

import numpy as np

from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.distribution import Distribution
from autoscaler_simulations.load.placing import BLOCK_ARRIVALS, Spread, draw_numbers, place_by_chance, place_evenly
from autoscaler_simulations.load.trace import JobList, RateCurve, Trace


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The requests of a stretch of time; the next block begins where this one ends."""

    begins: float  # seconds since the start
    ends: float
    arrivals: Floats  # seconds since the start, ascending, from begins to ends
    services: Floats  # seconds of work, one for each arrival


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """Every request of a trace.

    A rate curve of recorded counts gives exactly these counts in every interval, any other one numbers drawn by chance.
    ``poisson`` throws them uniformly into their interval, which makes a Poisson process of a drawn number; ``fano`` is the
    variance of an interval's number over its mean, 1 for Poisson, above 1 for a bursty load (negative binomial). ``even`` has no
    chance in it: a request arrives whenever the load added up crosses another half, so that a constant load of rate r brings
    r x length requests, rounded, at equal distances, and recorded counts lie evenly within their interval. A job list keeps its
    own arrivals, and its own services unless a distribution is given.

    Raises ``ValueError`` for a curve without a service distribution, and for a ``fano`` that is below 1 or can have no effect.
    """

    trace: Trace
    service: Distribution | None
    spread: Spread = "poisson"
    fano: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if isinstance(self.trace, RateCurve) and self.service is None:
            raise ValueError("a load of rates says nothing of the work of a request; give a service distribution")
        if not (isfinite(self.fano) and self.fano >= 1.0):
            raise ValueError(f"fano {self.fano:g} is not 1 or above; 1 is Poisson")
        is_drawn = isinstance(self.trace, RateCurve) and not self.trace.are_counts and self.spread == "poisson"
        if self.fano > 1.0 and not is_drawn:
            raise ValueError(f"fano {self.fano:g} has no effect on arrivals that are recorded or evenly spread; leave it out")

    def blocks(self, chance: np.random.Generator) -> Iterator[Block]:
        """Yield consecutive blocks from second 0 to the end of the trace; memory does not grow with the number of requests.

        A block holds up to 65,536 requests and 10,000 intervals, and ends with an interval, even one that alone holds more
        requests. Numbers, places and services are each drawn from a child of ``chance``, so that another service distribution
        leaves the arrivals as they are. Raises ``TraceError`` for an interval of more than 50 million requests.
        """
        by_number, by_place, by_service = chance.spawn(3)
        if isinstance(self.trace, JobList):
            yield from _job_blocks(self.trace, self.service, by_service)
        elif self.service is not None:
            yield from self._curve_blocks(self.trace, self.service, (by_number, by_place, by_service))

    def _curve_blocks(self, curve: RateCurve, service: Distribution, chances: tuple[np.random.Generator, ...]) -> Iterator[Block]:
        by_number, by_place, by_service = chances
        is_even = self.spread == "even"
        placed = place_evenly(curve) if is_even else place_by_chance(curve.interval_seconds, draw_numbers(curve, self.fano, by_number), by_place)
        for first, stop, arrivals in placed:
            services = service.draw(by_service, len(arrivals))
            yield Block(first * curve.interval_seconds, stop * curve.interval_seconds, arrivals, services)


def _job_blocks(jobs: JobList, service: Distribution | None, chance: np.random.Generator) -> Iterator[Block]:
    begins = 0.0
    for first in range(0, max(1, len(jobs.arrivals)), BLOCK_ARRIVALS):
        stop = first + BLOCK_ARRIVALS
        arrivals = jobs.arrivals[first:stop]
        ends = float(jobs.arrivals[stop]) if stop < len(jobs.arrivals) else jobs.length_seconds
        yield Block(begins, ends, arrivals, service.draw(chance, len(arrivals)) if service else jobs.services[first:stop])
        begins = ends
