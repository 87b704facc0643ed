"""Take a load from a file that recorded one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from autoscaler.model import Help, PathName
from autoscaler_simulations.load.trace import Trace
from autoscaler_simulations.load.trace_csv import read_trace
from autoscaler_simulations.load.trace_prometheus import Fill, read_range_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A file: counts or jobs as CSV, or the saved answer of Prometheus to a range query, whose name ends in ``.json``."""

    file: Annotated[PathName, Help("the CSV file, or a saved answer of /api/v1/query_range that ends in .json")]
    fill: Annotated[Fill | None, Help("takes 0, or the last value, where a .json file has none")] = None

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a fill that can have no effect."""
        if self.fill is not None and not self._is_json:
            raise ValueError(f"fill {self.fill} has no effect on a CSV file; leave it out")

    def trace(self) -> Trace:
        """Read the whole file; raise ``TraceError`` for a bad one."""
        return read_range_json(self.file, self.fill) if self._is_json else read_trace(self.file)

    @property
    def _is_json(self) -> bool:
        return Path(self.file).suffix.lower() == ".json"
