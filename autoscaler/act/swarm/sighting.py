"""Turn what a manager says of a service and its tasks into counts, processes and notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from autoscaler.act.remote.engine import Sighting
from autoscaler.act.swarm.shapes import Service, Task
from autoscaler.act.swarm.slots import Slot, SwarmView, sort_into_slots
from autoscaler.model import Counts, Process

_LONGEST_CAUSE = 200  # letters
_UNDO = "undo it (docker service rollback {name})"


def sight(name: str, service: Service, tasks: tuple[Task, ...], view: SwarmView) -> Sighting:
    """Say what runs of the process type ``name``."""
    desired = service.desired
    slots = sort_into_slots(tasks, view)
    alive = [slot for slot in slots if slot.best is not None]
    # A slot that was given up by a scale-in may still have tasks that failed long ago: no more are missing than are wanted.
    gone = sorted((slot for slot in slots if slot.is_given_up), key=_ended_at, reverse=True)
    gone = gone[: max(0, desired - len(alive))]
    leftovers = (process for slot in slots for process in slot.leftovers(name))
    processes = (*(slot.process(name) for slot in (*alive, *gone)), *leftovers)
    states = Counter(process.state for process in processes)
    return Sighting(
        counts=Counts(desired, states["running"], states["starting"], states["draining"], states["failed"], states["unknown"]),
        processes=processes,
        version=service.version.index,
        crashing=sum(slot.keeps_failing for slot in (*alive, *gone)),
        startups={f"{name}.{slot.number}": seconds for slot in alive if (seconds := slot.startup_seconds) is not None},
        notes=(*_list_notes(service, alive, gone), *_list_lost(service, processes)),
        obstacle=_find_obstacle(service, alive, gone),
    )


def find_hold(service: Service) -> str | None:
    """Say why the number of processes of a service must not be changed now; ``None``: it may be.

    Swarm forgets how far a rolling update is, and what was there before it, with every change of a service: a paused update goes on
    with a number of processes, and one that would be rolled back when it fails no longer can be.
    """
    name, undo = service.spec.name, _UNDO.format(name=service.spec.name)
    config = service.spec.update_config
    if service.update_state == "paused":
        fix = f"continue it (docker service update {name}) or {undo}"
        return f"the rolling update of {name} is paused, and a change of its number would let it go on; {fix}"
    if service.update_state == "rollback_paused":
        return f"the rollback of {name} is paused, and a change of its number would let it go on; mend it with docker service update {name}"
    if service.update_state == "updating" and config and config.failure_action == "rollback":
        return f"{name} is being updated, and a change of its number would take away its rollback; where it hangs, {undo}"
    return None


def _ended_at(slot: Slot) -> float:
    return slot.tasks[0].status.timestamp.timestamp()


def _list_notes(service: Service, alive: list[Slot], gone: list[Slot]) -> Iterator[str]:
    name = service.spec.name
    status = service.update_status
    if status and service.update_state in {"paused", "rollback_started", "rollback_paused"}:
        yield f"{name}: {service.update_state.replace('_', ' ')}: {_cut(status.message)}"
    for cause, count in Counter(_cut(best.status.err) for slot in alive if (best := _pending(slot))).items():
        yield f"{name}: {count} {'waits' if count == 1 else 'wait'} for a node: {cause}"
    for cause, count in Counter(_cut(failure) for slot in (*alive, *gone) if (failure := _failure(slot))).items():
        yield f"{name}: {count} failed: {cause}"
    if given_up := [slot for slot in gone if not slot.keeps_failing]:
        fix = f"docker service update --restart-condition any --restart-max-attempts 0 {name}"
        yield f"{name}: Swarm does not start {len(given_up)} again, as its restart policy says; to have it do so: {fix}"


def _list_lost(service: Service, processes: tuple[Process, ...]) -> Iterator[str]:
    for host, count in Counter(process.host for process in processes if process.state == "unknown").items():
        yield f"node {host or 'without a name'} does not answer: {count} of {service.spec.name} may run there"


def _find_obstacle(service: Service, alive: list[Slot], gone: list[Slot]) -> str | None:
    """Say why nothing of a service comes to run: no node takes it, or every node refuses it."""
    slots = [*alive, *gone]
    causes = [_cut(pending.status.err) if (pending := _pending(slot)) else _rejection(slot) for slot in slots]
    return f"{service.spec.name} cannot start: {causes[0]}" if causes and causes[0] and all(causes) else None


def _pending(slot: Slot) -> Task | None:
    """Return the task of a slot for which there is no node."""
    best = slot.best
    return best if best is not None and best.state == "pending" and best.status.err else None


def _failure(slot: Slot) -> str | None:
    """Return why the process of a slot failed last."""
    if slot.state != "failed":
        return None
    return next((task.status.err or f"it ended ({task.state})" for task in slot.tasks if task.has_ended), None)


def _rejection(slot: Slot) -> str | None:
    rejected = [task.status.err for task in slot.tasks if task.state == "rejected"]
    return _cut(rejected[0]) if rejected and slot.state == "failed" else None


def _cut(cause: str) -> str:
    words = " ".join(cause.split())
    return words if len(words) <= _LONGEST_CAUSE else f"{words[:_LONGEST_CAUSE]}..."
