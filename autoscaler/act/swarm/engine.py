"""Look at the services of a swarm, and set how many processes each has."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial

from autoscaler.act.remote.api import Server
from autoscaler.act.remote.engine import DONE, Order, Sighting, Verdict
from autoscaler.act.swarm.manager import Manager, NotThereError, StaleError
from autoscaler.act.swarm.shapes import Service, Task
from autoscaler.act.swarm.sighting import find_hold, sight
from autoscaler.act.swarm.slots import SwarmView
from autoscaler.http_client import HttpError, UnclearError
from autoscaler.parallel import Job, side_by_side

_MOST_NAMES = 5  # of services, in a sentence
_MOST_PROCESSES = 100  # of which tasks are asked for at once: Swarm keeps six for each, of some kilobytes, and an answer has its limit


class SwarmEngine:
    """The services of one swarm, through one of its managers."""

    def __init__(self, server: Server, names: Mapping[str, str]) -> None:
        """Take ``names``: what the service of each process type is called."""
        self._manager = Manager(server)
        self._names = names
        self._seen: dict[str, Service] = {}  # those that can be scaled, by process type, at the last look

    def look(self) -> Mapping[str, Sighting | str]:
        """Return what runs of every process type, in three calls for all of them, or some more for hundreds of processes."""
        try:
            return self._look()
        except NotThereError:  # a service was removed between two of the calls
            return self._look()

    def scale(self, orders: tuple[Order, ...]) -> Mapping[str, Verdict]:
        """Set the number of processes of each service, side by side; nothing else of a service changes."""
        verdicts = side_by_side([partial(self._scale, order) for order in orders])
        return {order.name: verdict for order, verdict in zip(orders, verdicts, strict=True)}

    def close(self) -> None:
        """Close the connections."""
        self._manager.close()

    def _look(self) -> Mapping[str, Sighting | str]:
        there = {service.spec.name: service for service in self._manager.services(self._names.values())}
        self._seen = {name: there[called] for name, called in self._names.items() if called in there and there[called].is_replicated}
        sightings = self._sight() if self._seen else {}
        known = () if all(called in there for called in self._names.values()) else self._list_all()
        return {name: sightings.get(name) or _explain(called, there.get(called), known) for name, called in self._names.items()}

    def _list_all(self) -> tuple[str, ...] | None:
        """Return the names of all services, which only serve to say what is near a wrong one; ``None`` where they are not to be had."""
        try:
            return tuple(service.spec.name for service in self._manager.services(()))
        except HttpError:
            return None

    def _sight(self) -> dict[str, Sighting]:
        nodes = Job(self._manager.nodes, "nodes")
        try:
            answers = side_by_side([partial(self._manager.tasks, part) for part in _parts(self._seen.values())])
        finally:
            nodes.wait()
        view = SwarmView(max(answer.now for answer in answers), nodes.answer())
        tasks: dict[str, list[Task]] = defaultdict(list)
        for task in (task for answer in answers for task in answer.tasks):
            tasks[task.service_id].append(task)
        return {name: sight(name, service, tuple(tasks[service.id]), view) for name, service in self._seen.items()}

    def _scale(self, order: Order) -> Verdict:
        called = self._names[order.name]
        service = self._seen.get(order.name)
        if service is None:
            return Verdict("refused", f"service {called} was not seen at the last look")
        try:
            return self._write(order, service)
        except UnclearError as error:
            return Verdict("unclear", str(error))
        except StaleError:
            return Verdict("refused", f"service {called} keeps being changed by somebody else; decided again at the next tick")
        except NotThereError:
            return Verdict("refused", f"there is no service {called} any more")
        except HttpError as error:
            return Verdict("refused", str(error))

    def _write(self, order: Order, service: Service) -> Verdict:
        try:
            return self._write_once(order, service)
        except StaleError:
            return self._write_once(order, self._manager.service(service.id))

    def _write_once(self, order: Order, service: Service) -> Verdict:
        was, target = order.seen.counts.desired, order.change.target
        if service.desired == target:
            return DONE
        if service.desired != was:
            return Verdict("refused", f"somebody else set it from {was} to {service.desired} meanwhile; decided again at the next tick")
        if hold := find_hold(service):
            return Verdict("waits", hold)
        self._manager.set_replicas(service, target)
        return DONE


def _parts(services: Iterable[Service]) -> list[list[Service]]:
    """Part services so that one answer holds the tasks of each part."""
    parts: list[list[Service]] = [[]]
    size = 0
    for service in services:
        size += max(1, service.desired)
        if parts[-1] and size > _MOST_PROCESSES:
            parts.append([])
            size = max(1, service.desired)
        parts[-1].append(service)
    return parts


def _explain(called: str, service: Service | None, known: tuple[str, ...] | None) -> str:
    """Say why a process type cannot be seen."""
    if service is not None:
        return f"service {called} has no number of processes: it is of mode {service.mode}; only services of mode replicated can be scaled"
    if known is None:
        return f"there is no service {called}; create it, or correct service or names"
    near = difflib.get_close_matches(called, known, 3) or [name for name in known if called in name][:_MOST_NAMES]
    if near:
        return f"there is no service {called}; near it {'is' if len(near) == 1 else 'are'} {', '.join(sorted(near))}: correct service or names"
    return f"there is no service {called} in this swarm, which has {len(known) or 'no'} services; create it, or correct service or names"
