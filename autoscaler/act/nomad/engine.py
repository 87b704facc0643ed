"""Ask and tell Nomad of all jobs, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from autoscaler.act.nomad.job import NomadJob
from autoscaler.act.nomad.words import Where
from autoscaler.act.remote.api import Api
from autoscaler.act.remote.engine import Order, Sighting, Verdict
from autoscaler.clock import Clock
from autoscaler.parallel import side_by_side

_MOST_WATCHED = 32  # jobs that have a thread of their own; others are asked at each look
_AT_ONCE = 32  # calls; with those that follow jobs they stay below the 100 connections that an agent takes from one client


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process type is at home."""

    job: str
    group: str


class NomadEngine:
    """The jobs, and which process types are task groups of each."""

    def __init__(self, api: Api, places: Mapping[str, Place], scope: Mapping[str, str], clock: Clock, *, may_watch: bool) -> None:
        """Ask for the process types that are the keys of ``places``; ``scope`` holds the namespace and the region."""
        self._api = api
        self._groups: dict[str, dict[str, str]] = {}
        for name, place in places.items():
            self._groups.setdefault(place.job, {})[name] = place.group
        self._jobs = {
            job: NomadJob(api, Where(job, scope.get("namespace", "")), scope, clock, is_watched=may_watch and number < _MOST_WATCHED)
            for number, job in enumerate(self._groups)
        }

    def look(self) -> Mapping[str, Sighting | str]:
        """Return what runs of every process type."""
        looks = side_by_side([partial(self._jobs[job].look, groups) for job, groups in self._groups.items()], _AT_ONCE)
        return {name: seen for found in looks for name, seen in found.items()}

    def scale(self, orders: tuple[Order, ...]) -> Mapping[str, Verdict]:
        """Give the orders, those of one job one after the other."""
        by_job = {job: own for job, groups in self._groups.items() if (own := [order for order in orders if order.name in groups])}
        told = side_by_side([partial(self._jobs[job].scale, own, self._groups[job]) for job, own in by_job.items()], _AT_ONCE)
        return {name: verdict for verdicts in told for name, verdict in verdicts.items()}

    def close(self) -> None:
        """Follow nothing more, and close the connections."""
        for job in self._jobs.values():
            job.close()
        self._api.close()
