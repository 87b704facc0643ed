"""Gather the requests that started, to hand them over by the thousand."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from autoscaler_simulations.arrays import Floats


@dataclass(slots=True)
class Begun:
    """Requests that started: how many, the sum of their waits, that of their services, and themselves until they are taken."""

    number: int = 0
    waited_seconds: float = 0.0
    service_seconds: float = 0.0
    held: int = 0  # not taken yet
    _runs: list[tuple[Floats, Floats, Floats]] = field(default_factory=list)  # arrivals, starts, services
    _singles: list[tuple[float, float, float]] = field(default_factory=list)  # arrival, start, service

    def add_run(self, arrivals: Floats, starts: Floats, services: Floats) -> None:
        """Add requests that started one after another."""
        self._count(len(starts), float((starts - arrivals).sum()), float(services.sum()))
        self._runs.append((arrivals, starts, services))

    def add(self, arrival: float, start: float, service: float) -> None:
        """Add one request."""
        self._count(1, start - arrival, service)
        self._singles.append((arrival, start, service))

    def take(self) -> tuple[Floats, Floats, Floats]:
        """Return arrivals, starts and services of all that are held, and hold them no longer."""
        singles = np.array(self._singles).reshape(-1, 3).T
        arrivals, starts, services = (np.concatenate(parts) for parts in zip(*chain(self._runs, [singles]), strict=True))
        self._runs, self._singles, self.held = [], [], 0
        return arrivals, starts, services

    def _count(self, number: int, waited: float, services: float) -> None:
        self.number += number
        self.held += number
        self.waited_seconds += waited
        self.service_seconds += services
