"""Measure how long the swarm backend takes from a decision to the engine's yes, on one real Docker Engine."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from threading import Event

from autoscaler.act.backend import Backend
from autoscaler.act.swarm import Swarm
from autoscaler.model import Change, ProcessType
from table import Table
from test_parts import test_part

nodes = test_part("swarm_nodes")

MANY = 10
ROUNDS = 50
# No node takes their tasks, so that nothing else than the engine's answer takes time.
NOWHERE = {"ContainerSpec": {"Image": nodes.IMAGE}, "Placement": {"Constraints": ["node.labels.none==1"]}}


def measure() -> Table:
    """Set the number of processes of services whose processes start nowhere; it needs root."""
    title = f"swarm: from a decision to the engine's yes, medians of {ROUNDS} changes"
    if reason := nodes.missing():
        return Table(title, ("", "ms"), ((f"not measured: {reason}", ""),))
    with nodes.swarm("bench") as swarm:
        names = [f"type{number}" for number in range(MANY)]
        for name in names:
            swarm.create(name, TaskTemplate=NOWHERE)
        backend = Swarm(address=swarm.manager.address).connect(tuple(ProcessType(name=name, minimum=0, maximum=9) for name in names), None)
        try:
            rows = tuple(_measure(backend, swarm, names))
        finally:
            backend.close(Event())
    return Table(title, ("", "ms"), rows)


def _measure(backend: Backend, swarm: nodes.SwarmOfNodes, names: list[str]) -> Iterator[tuple[str, str]]:
    targets = itertools.cycle((1, 0))
    yield "1 type, decision to accepted", _median(lambda: _scale(backend, next(targets), names[:1]))
    yield f"{MANY} types in one tick, decision to accepted", _median(lambda: _scale(backend, next(targets), names))
    yield f"a look at {MANY} types", _median(lambda: _time(backend.observe))
    yield "the bare call of the API for 1 type", _median(lambda: _update(swarm, next(targets)))
    yield "docker service scale --detach of 1 type", _median(lambda: _command(swarm, next(targets)))


def _scale(backend: Backend, target: int, names: list[str]) -> float:
    backend.observe()
    changes = tuple(Change(name, 1 - target, target, "measured") for name in names)
    began = time.perf_counter()
    outcomes = backend.scale(changes)
    seconds = time.perf_counter() - began
    if errors := [outcome.error for outcome in outcomes if outcome.error]:
        raise RuntimeError(errors[0])
    return seconds


def _update(swarm: nodes.SwarmOfNodes, target: int) -> float:
    service = swarm.service("type0")
    spec = {**service["Spec"], "Mode": {"Replicated": {"Replicas": target}}}
    path = f"/services/{service['ID']}/update?version={service['Version']['Index']}"
    return _time(lambda: swarm.manager.ask("POST", path, spec))


def _command(swarm: nodes.SwarmOfNodes, target: int) -> float:
    return _time(lambda: swarm.manager.docker("service", "scale", "--detach", f"type0={target}"))


def _time(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _median(measured: Callable[[], float]) -> str:
    return f"{1000 * statistics.median(measured() for _ in range(ROUNDS)):.1f}"
