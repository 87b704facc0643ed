"""Ask Kubernetes what runs, and tell it how many should."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from autoscaler.act.kubernetes.client import Client, RefusedError
from autoscaler.act.kubernetes.idlest import Marker, is_one_release, plan_marks
from autoscaler.act.kubernetes.listing import list_pods, pods_of
from autoscaler.act.kubernetes.pods import notes_on, process_of, startup_of
from autoscaler.act.kubernetes.reading import Reader, Reading
from autoscaler.act.kubernetes.rights import Rights, advice
from autoscaler.act.kubernetes.rivals import RivalWatch
from autoscaler.act.kubernetes.scaling import prove, set_count
from autoscaler.act.kubernetes.selector import plan_lists
from autoscaler.act.kubernetes.shapes import Pod
from autoscaler.act.kubernetes.workload import Workload
from autoscaler.act.remote.engine import Order, Sighting, Verdict
from autoscaler.http_client import HttpError
from autoscaler.model import Counts, Process
from autoscaler.parallel import side_by_side

WIDTH = 32  # calls under way at once: 100 workloads take four times the time of one
_BUDGET_SECONDS = 10.0  # after which no further call is begun: an API that does not answer would be asked by each type in turn


@dataclass(frozen=True, slots=True)
class _Listed:
    """What lists of pods have said: the pods of each type, or why they are not known."""

    pods: Mapping[str, tuple[Pod, ...]]
    trouble: Mapping[str, str]


class KubernetesEngine:
    """One namespace of a cluster, whose workloads are the process types."""

    def __init__(
        self, client: Client, workloads: Mapping[str, Workload], *, proves_rights: bool = False, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Ask for the workload of each process type; with ``proves_rights`` the first look also tries whether they may be scaled."""
        self._client = client
        self._workloads = workloads
        self._now = now
        self._rights = Rights(now)
        self._reader = Reader(client, self._rights, now)
        self._rivals = RivalWatch(client, now)
        self._marker = Marker(client, self._rights, now)
        self._pods: Mapping[str, tuple[Pod, ...]] = {}  # of the last look
        self._startups: dict[str, Mapping[str, float]] = {}  # by process type and uid of a pod, as first seen
        self._proves_rights = proves_rights

    def look(self) -> Mapping[str, Sighting | str]:
        """Read every workload side by side, then their pods in as few lists as do; what is not known of a type is a sentence."""
        until = self._now() + _BUDGET_SECONDS
        answers = side_by_side([partial(self._read, each, until) for each in self._workloads.values()], WIDTH)
        read = dict(zip(self._workloads, answers, strict=True))
        readings = {name: each for name, each in read.items() if isinstance(each, Reading)}
        listed = self._list(readings, until)
        self._pods = listed.pods
        obstacles = self._prove(readings)
        sightings = {name: self._sighting(name, each, listed, obstacles.get(name)) for name, each in readings.items()}
        return {name: each if isinstance(each, str) else sightings[name] for name, each in read.items()}

    def scale(self, orders: tuple[Order, ...]) -> Mapping[str, Verdict]:
        """Mark the idlest of those that scale in, then set all counts side by side."""
        until = self._now() + _BUDGET_SECONDS
        self._marker.mark([mark for order in orders if _takes_idlest(order) for mark in plan_marks(order, self._pods.get(order.name, ()))])
        verdicts = side_by_side([partial(self._set, order, until) for order in orders], WIDTH)
        return {order.name: verdict for order, verdict in zip(orders, verdicts, strict=True)}

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _read(self, workload: Workload, until: float) -> Reading | str:
        if self._now() >= until:
            return self._too_slow()
        try:
            return self._reader.read(workload)
        except HttpError as error:
            return str(error)

    def _too_slow(self) -> str:
        return f"{self._client.host} was not asked: the calls before took {_BUDGET_SECONDS:g} s"

    # Pods

    def _list(self, readings: Mapping[str, Reading], until: float) -> _Listed:
        found = _Listed({}, {}) if not self._rights.may_try("list", "pods") else None
        calls: list[Callable[[], _Listed | None]] = [partial(_done, self._rivals.refresh), partial(_done, self._marker.refresh)] if readings else []
        if found is None:
            selectors = {name: each.selector for name, each in readings.items() if each.selector}
            calls += [partial(self._list_one, text, {name: readings[name] for name in names}, until) for text, names in plan_lists(selectors)]
        answers = [each for each in side_by_side(calls, WIDTH) if each]
        return _Listed({k: v for each in answers for k, v in each.pods.items()}, {k: v for each in answers for k, v in each.trouble.items()})

    def _list_one(self, selector: str, readings: Mapping[str, Reading], until: float) -> _Listed:
        if self._now() >= until:
            return _Listed({}, dict.fromkeys(readings, self._too_slow()))
        try:
            pods = list_pods(self._client, selector)
        except RefusedError as error:
            if error.refusal.is_forbidden:
                self._rights.refused("list", "pods")
                return _Listed({}, {})
            return _Listed({}, dict.fromkeys(readings, str(error)))
        except HttpError as error:
            return _Listed({}, dict.fromkeys(readings, str(error)))
        return _Listed({name: pods_of(reading, pods) for name, reading in readings.items()}, {})

    # Sightings

    def _sighting(self, name: str, reading: Reading, listed: _Listed, obstacle: str | None) -> Sighting:
        notes = [*reading.notes, *self._rivals.note(reading.workload), *self._marker.note(name)]
        if name in listed.trouble:
            notes.append(f"{name}: the single processes are not known: {listed.trouble[name]}")
        pods = listed.pods.get(name)
        bare = Sighting(counts=reading.counts, version=reading.version, notes=tuple(notes), obstacle=obstacle)
        if pods is None:
            return bare if reading.knows_ready else replace(bare, unready=_unready(reading, listed.trouble.get(name)))
        return self._with_pods(name, bare, reading, pods)

    def _with_pods(self, name: str, bare: Sighting, reading: Reading, pods: Sequence[Pod]) -> Sighting:
        processes = tuple(process_of(pod) for pod in pods)
        return replace(
            bare,
            counts=_count(reading.counts.desired, processes),
            processes=processes,
            crashing=sum(each.state == "failed" for each in processes),
            startups=self._measure(name, pods),
            notes=(*bare.notes, *notes_on(name, pods)),
            chooses_idlest=self._marker.may_mark and reading.workload.has_replica_sets and is_one_release(pods),
        )

    def _measure(self, name: str, pods: Sequence[Pod]) -> Mapping[str, float]:
        """Return the startup of each pod as it was seen first: a pod that loses its readiness and gets it back later has not started again."""
        before = self._startups.get(name, {})
        found = {pod.metadata.uid: before.get(pod.metadata.uid, startup_of(pod)) for pod in pods}
        self._startups[name] = {uid: seconds for uid, seconds in found.items() if seconds is not None}
        return {pod.metadata.name: self._startups[name][pod.metadata.uid] for pod in pods if pod.metadata.uid in self._startups[name]}

    # Changes

    def _prove(self, readings: Mapping[str, Reading]) -> Mapping[str, str]:
        """Try once whether the counts may be set; return what is in the way, by process type."""
        if not self._proves_rights or not readings:
            return {}
        self._proves_rights = False
        answers = side_by_side([partial(prove, self._client, each) for each in readings.values()], WIDTH)
        return {name: obstacle for name, obstacle in zip(readings, answers, strict=True) if obstacle}

    def _set(self, order: Order, until: float) -> Verdict:
        if self._now() >= until:
            return Verdict("refused", self._too_slow())
        return set_count(self._client, self._reader, self._workloads[order.name], order)


def _takes_idlest(order: Order) -> bool:
    return order.seen.chooses_idlest and bool(order.change.loads) and order.change.target < order.seen.counts.desired


def _count(desired: int, processes: Sequence[Process]) -> Counts:
    """Count by the pods; what should be there and is not is starting, whether Kubernetes has begun it or not."""
    count = {state: sum(each.state == state for each in processes) for state in ("running", "starting", "draining", "failed", "unknown")}
    there = sum(count.values()) - count["draining"]
    return Counts(desired, **count | {"starting": count["starting"] + max(0, desired - there)})


def _unready(reading: Reading, trouble: str | None) -> str:
    workload = reading.workload
    said = f"it is not known which processes of {workload} are ready"
    if trouble:
        return f"{said}: only its scale may be read, and its pods could not be listed"
    if reading.selector is None:
        return f"{said}: its scale does not say which pods are its own (status.selector); its custom resource definition needs a labelSelectorPath"
    right = advice("get", workload.resource, workload.namespace) if workload.kind else advice("list", "pods", workload.namespace)
    return f"{said}: only its scale may be read; {right}"


def _done(call: Callable[[], None]) -> None:
    call()
