"""What can be seen of a plant at one moment, and the values that two such moments say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from autoscaler.observe.source import SourceError
from autoscaler_simulations.plant.plant import Plant
from autoscaler_simulations.plant.queue import Tally

Kind = Literal["arrival_rate", "completion_rate", "waiting", "busy", "in_flight", "utilization", "oldest_wait", "mean_wait"]

RATES = frozenset({"arrival_rate", "completion_rate", "mean_wait"})  # these compare two samples
AVERAGES = frozenset({"utilization", "oldest_wait", "mean_wait"})  # these are no sums over processes
WORK = frozenset({"busy", "in_flight"})  # of these draining processes have their share


class Sample(NamedTuple):
    """What could be seen at one poll."""

    tally: Tally
    slots: int  # of ready processes, draining ones included
    slot_seconds: float  # the area under `slots`
    ready: int  # processes with slots, draining ones included
    running: frozenset[str]  # processes that can be asked, where they are asked one by one


def take_sample(plant: Plant, *, with_names: bool) -> Sample:
    """Look at a plant now."""
    running = frozenset(one.name for one in plant.observe().processes if one.state == "running") if with_names else _NOBODY
    slots = plant.process_type.slots
    return Sample(plant.queue.tally(), plant.ready * slots, plant.usage.ready_seconds * slots, plant.ready, running)


_NOBODY: frozenset[str] = frozenset()


def value_of(kind: Kind, before: Sample | None, now: Sample) -> float:
    """Return what two samples say, or one alone of what is momentary; raise ``SourceError`` where a live source would have nothing."""
    return _VALUES[kind](before, now)


def _arrival_rate(before: Sample | None, now: Sample) -> float:
    return _rate(before, now, now.tally.arrived, before.tally.arrived if before else 0.0)


def _completion_rate(before: Sample | None, now: Sample) -> float:
    return _rate(before, now, now.tally.completed, before.tally.completed if before else 0.0)


def _rate(before: Sample | None, now: Sample, last: float, first: float) -> float:
    if before is None:
        raise SourceError("first sample of a counter; a rate needs two")
    return max(0.0, last - first) / (now.tally.at - before.tally.at)


def _waiting(before: Sample | None, now: Sample) -> float:
    if before is None:
        return now.tally.waiting
    return max(0.0, now.tally.waiting_seconds - before.tally.waiting_seconds) / (now.tally.at - before.tally.at)


def _busy(before: Sample | None, now: Sample) -> float:
    if before is None:
        return now.tally.busy
    return max(0.0, now.tally.busy_seconds - before.tally.busy_seconds) / (now.tally.at - before.tally.at)


def _in_flight(before: Sample | None, now: Sample) -> float:
    return _waiting(before, now) + _busy(before, now)


def _utilization(before: Sample | None, now: Sample) -> float:
    """Divide the busy slots by those of all processes that have any: exporters of draining processes are still asked."""
    busy, slots = now.tally.busy, float(now.slots)
    if before is not None:
        busy, slots = now.tally.busy_seconds - before.tally.busy_seconds, now.slot_seconds - before.slot_seconds
    if slots <= 0:
        raise SourceError("no process is ready, so nothing is utilized")
    return min(1.0, max(0.0, busy / slots))


def _oldest_wait(before: Sample | None, now: Sample) -> float:  # noqa: ARG001 - the age is always that of now
    return now.tally.oldest_wait


def _mean_wait(before: Sample | None, now: Sample) -> float:
    if before is None:
        raise SourceError("first sample of a counter; a mean over a window needs two")
    started = now.tally.started - before.tally.started
    if started <= 0:
        raise SourceError("nothing was started in the window, so nothing has waited")
    return max(0.0, (now.tally.waited_seconds - before.tally.waited_seconds) / started)


_VALUES: Mapping[Kind, Callable[[Sample | None, Sample], float]] = {
    "arrival_rate": _arrival_rate,
    "completion_rate": _completion_rate,
    "waiting": _waiting,
    "busy": _busy,
    "in_flight": _in_flight,
    "utilization": _utilization,
    "oldest_wait": _oldest_wait,
    "mean_wait": _mean_wait,
}
