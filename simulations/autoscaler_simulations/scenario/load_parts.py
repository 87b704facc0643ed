"""Put the load of a process type together from its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autoscaler_simulations.load.curves import add, cut
from autoscaler_simulations.load.errors import TraceError
from autoscaler_simulations.load.generators import Batch, Constant, Diurnal, FlashCrowd, Poisson, Ramp, Step
from autoscaler_simulations.load.placing import Spread
from autoscaler_simulations.load.range_query import RangeQuery
from autoscaler_simulations.load.recorded import Recorded
from autoscaler_simulations.load.trace import RateCurve, Trace
from autoscaler_simulations.scenario.one_of import given, keys_of
from autoscaler_simulations.scenario.schema import LoadSection

_Shape = Constant | Poisson | Step | Ramp | Diurnal | FlashCrowd | Batch


@dataclass(frozen=True, slots=True)
class Parts:
    """What is recorded, read once, and what is made up as long as it is asked for."""

    recorded: tuple[Trace, ...]
    shapes: tuple[_Shape, ...]

    @property
    def length_seconds(self) -> float:
        """Return the length of the longest recorded part; 0 without one."""
        return max((trace.length_seconds for trace in self.recorded), default=0.0)

    @property
    def spread(self) -> Spread:
        """Return how arrivals fall within an interval: evenly where every part says so."""
        return "even" if not self.recorded and all(shape.spread == "even" for shape in self.shapes) else "poisson"

    def load(self, length_seconds: float) -> Trace:
        """Add the parts up, recorded ones cut to the length; raise ``TraceError`` for a file of jobs beside another part."""
        traces = [cut(trace, min(length_seconds, trace.length_seconds)) for trace in self.recorded]
        traces += [shape.curve(length_seconds) for shape in self.shapes]
        curves = [trace for trace in traces if isinstance(trace, RateCurve)]
        if len(curves) < len(traces) > 1:
            raise TraceError("a file of jobs cannot be added to another load; keep it alone")
        return traces[0] if len(traces) == 1 else add(curves)


def read_parts(sections: Sequence[LoadSection]) -> Parts:
    """Read every file, and ask every server; raise ``TraceError`` for one that holds no load."""
    parts = [given(section, keys_of(LoadSection))[1] for section in sections]
    recorded = tuple(_read(part) for part in parts if isinstance(part, Recorded | RangeQuery))
    return Parts(recorded, tuple(part for part in parts if isinstance(part, _Shape)))


def _read(part: Recorded | RangeQuery) -> Trace:
    return part.trace() if isinstance(part, Recorded) else part.curve()
