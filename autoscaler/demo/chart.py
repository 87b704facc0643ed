"""Draw processes over time as a small text chart."""

from __future__ import annotations

from collections.abc import Sequence

from autoscaler.demo.usage import Moment

_COLUMNS = 60


def draw_chart(moments: Sequence[Moment], ended: float, mark: str) -> list[str]:
    """Return one line for each number of processes, highest first, and the axis of time; no moments give no lines."""
    if not moments:
        return []
    columns = _columns(moments, ended)
    peak = max(columns)
    rows = [f"{level:>3} |{''.join(mark if column >= level else ' ' for column in columns)}".rstrip() for level in range(peak, 0, -1)]
    seconds = f"{ended - moments[0].now:.0f} s"
    return [*rows, f"    +{'-' * _COLUMNS}", f"     0 s{seconds:>{_COLUMNS - 3}}"]


def _columns(moments: Sequence[Moment], ended: float) -> list[int]:
    """Return the most processes in each of the equal spans from the first moment to the end."""
    began, span = moments[0].now, max(ended - moments[0].now, 0.001) / _COLUMNS
    columns: list[int] = []
    for column in range(_COLUMNS):
        within = [moment.processes for moment in moments if began + column * span <= moment.now < began + (column + 1) * span]
        earlier = [moment.processes for moment in moments if moment.now < began + (column + 1) * span]
        columns.append(max(within) if within else earlier[-1])
    return columns
