"""Shape the demo's load over time: a quiet start, a rise, a burst, a fall and a quiet end."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

_STEP_SECONDS = 0.01
_SEED = 12


@dataclass(frozen=True, slots=True)
class Rates:
    """How much is offered in a second."""

    requests: float
    jobs: float


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the curve on which the rates move in a straight line."""

    name: str
    begins: float  # as shares of the whole time
    ends: float
    first: Rates
    last: Rates


_QUIET = Rates(requests=3.0, jobs=0.6)
_BUSY = Rates(requests=24.0, jobs=4.5)
_BURST = Rates(requests=36.0, jobs=9.0)
PHASES = (
    Phase("quiet start", 0.0, 0.12, _QUIET, _QUIET),
    Phase("rise", 0.12, 0.35, _QUIET, _BUSY),
    Phase("burst", 0.35, 0.52, _BURST, _BURST),
    Phase("fall", 0.52, 0.65, _BUSY, _QUIET),
    Phase("quiet end", 0.65, 1.0, _QUIET, _QUIET),
)


@dataclass(frozen=True, slots=True)
class Curve:
    """The phases stretched to ``seconds``; the same seconds always give the same load."""

    seconds: float

    def phase_at(self, elapsed: float) -> Phase:
        """Return the phase at ``elapsed`` seconds; the last one from the end on."""
        return next((phase for phase in PHASES if elapsed < phase.ends * self.seconds), PHASES[-1])

    def rates_at(self, elapsed: float) -> Rates:
        """Return what is offered in a second at ``elapsed`` seconds."""
        phase = self.phase_at(elapsed)
        share = (min(elapsed / self.seconds, phase.ends) - phase.begins) / (phase.ends - phase.begins)
        return Rates(
            requests=phase.first.requests + share * (phase.last.requests - phase.first.requests),
            jobs=phase.first.jobs + share * (phase.last.jobs - phase.first.jobs),
        )

    def request_times(self) -> tuple[float, ...]:
        """Return when each web request is due, in seconds from the start, ascending."""
        return self._arrivals(lambda rates: rates.requests)

    def job_times(self) -> tuple[float, ...]:
        """Return when each job is due, in seconds from the start, ascending."""
        return self._arrivals(lambda rates: rates.jobs)

    def _arrivals(self, rate: Callable[[Rates], float]) -> tuple[float, ...]:
        """Let one arrival fall, by chance, into each unit of the area under the curve."""
        chance = random.Random(_SEED)  # noqa: S311 - a repeatable load, nothing secret
        times: list[float] = []
        area, due = 0.0, chance.random()
        for step in range(round(self.seconds / _STEP_SECONDS)):
            area += rate(self.rates_at(step * _STEP_SECONDS)) * _STEP_SECONDS
            while area >= due:
                times.append(step * _STEP_SECONDS)
                due = len(times) + chance.random()
        return tuple(times)
