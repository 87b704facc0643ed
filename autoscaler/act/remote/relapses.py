"""Tell which processes fail again and again, where the engine itself does not say so; pure, with the time as an argument."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from autoscaler.act.starts import SETTLED_SECONDS
from autoscaler.model import Process

_APART_SECONDS = 10.0  # one failure may be seen twice; two that are this far apart are a habit


@dataclass(slots=True)
class _Failing:
    """A process that has failed, and has not run well since."""

    first: float
    last: float
    running_since: float | None = None


class Relapses:
    """The processes of one type that were seen failed, until they have run for a minute."""

    def __init__(self) -> None:
        """Begin with none."""
        self._failing: dict[str, _Failing] = {}

    def look(self, processes: Iterable[Process], now: float) -> None:
        """Take in the state of every process; one that is gone is forgotten."""
        self._failing = {each.name: failing for each in processes if (failing := self._follow(each, now))}

    def is_relapsing(self, process: Process) -> bool:
        """Tell whether a process was seen failed at times that lie apart, and has not run for a minute since."""
        failing = self._failing.get(process.name)
        return failing is not None and failing.last - failing.first >= _APART_SECONDS

    def _follow(self, process: Process, now: float) -> _Failing | None:
        failing = self._failing.get(process.name)
        if process.state == "failed":
            return _Failing(failing.first if failing else now, now)
        if failing is None or process.state != "running":
            return failing and _Failing(failing.first, failing.last)
        since = now if failing.running_since is None else failing.running_since
        return None if now - since >= SETTLED_SECONDS else _Failing(failing.first, failing.last, since)
