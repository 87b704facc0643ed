"""What the pipeline remembers of one process type from tick to tick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from autoscaler.decide.settings import TypeSettings
from autoscaler.decide.window import Sized
from autoscaler.model import Counts, Json, Observation, ReadyCount

_READY_HISTORY_SECONDS = 900.0  # no reading older than this is believed by anyone
_GAP_INTERVALS = 3  # this many intervals without a tick are a gap


@dataclass(frozen=True, slots=True)
class SizeChange:
    """At ``now`` the backend was asked to go from ``before`` to ``after`` processes."""

    now: float
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Trial:
    """A scale-out of a quarter or more that is watched for what it brings."""

    before: int
    after: int
    rate: float  # completions a second when it began
    backlog: float  # jobs that waited then
    ready_at: float | None = None  # when all processes were ready


@dataclass(frozen=True, slots=True)
class Futility:
    """What scale-outs have brought so far."""

    trials: tuple[Trial, ...] = ()  # not judged yet, oldest first
    in_vain: int = 0  # scale-outs in a row that brought nothing
    rate: float = 0.0  # completions a second beyond which they are in vain no longer
    probed_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The past of one process type; every value is JSON-able, so that a record can hold it and a replay go on from it."""

    policies: Mapping[str, Json] = field(default_factory=dict)
    lowest: tuple[Sized, ...] = ()  # for scale-out stabilization
    highest: tuple[Sized, ...] = ()  # for scale-in stabilization
    changes: tuple[SizeChange, ...] = ()  # accepted ones, oldest first
    asked: SizeChange | None = None  # of the last tick; the next observation tells whether it was accepted
    desired: int | None = None  # as last observed
    last_tick: float | None = None
    ready: tuple[ReadyCount, ...] = ()
    is_off: bool = False  # somebody set the type to 0 by hand
    set_by_others: str = ""  # a sentence, on the tick that saw it
    futility: Futility | None = None
    is_called: bool = False  # a connection waits, or its process still starts
    accepted: SizeChange | None = None  # the change that this observation showed to be made
    occupied: int = 0  # processes alive or asked for, as last observed


def recall(settings: TypeSettings, observation: Observation, memory: Memory, minimum: int) -> Memory:
    """Bring the memory up to a new observation: which change was accepted, what others changed, how many were ready.

    ``minimum`` is the one in force now: what somebody else sets to 0 is off only where it holds.
    """
    desired = observation.counts.desired
    is_foreign = memory.desired is not None and not _is_ours(memory, desired)
    accepted = _accepted(memory, desired)
    # What somebody else set is a new beginning: it starts the cooldown of scale-in, and no older change counts any more.
    foreign = (SizeChange(observation.now, desired, desired),)
    return Memory(  # written out: dataclasses.replace takes twice as long, and this runs for every type on every tick
        policies=memory.policies,
        lowest=memory.lowest,
        highest=memory.highest,
        changes=foreign if is_foreign else _changes(settings, observation.now, accepted, memory.changes),
        asked=None,
        desired=desired,
        last_tick=memory.last_tick,
        ready=_ready(observation, memory.ready),
        is_off=desired == 0 and minimum > 0 and (memory.is_off or is_foreign),
        set_by_others=f"set from {memory.desired} to {desired} by somebody else" if is_foreign else "",
        futility=memory.futility,
        is_called=observation.is_called or (memory.is_called and 0 == observation.counts.running < desired),
        accepted=None if is_foreign else accepted,
        occupied=occupied(observation.counts),
    )


def must_wait_for_windows(settings: TypeSettings, now: float, memory: Memory) -> bool:
    """Tell whether the windows say nothing of the present size: at the first tick, after a gap, after somebody else's change."""
    if memory.last_tick is None or memory.set_by_others:
        return True
    return now - memory.last_tick > _GAP_INTERVALS * settings.process_type.interval_seconds


def forget_sizes(memory: Memory) -> Memory:
    """Keep what policies remember and drop the sizes: the type now runs on another backend, whose counts tell nothing of the past."""
    return replace(memory, changes=(), asked=None, desired=None, last_tick=None, is_off=False, futility=None, is_called=False, accepted=None)


def last_size(memory: Memory) -> int:
    """Return the most processes that a type may have: those that were alive when it was observed last, and those asked for since."""
    return memory.occupied + (max(0, memory.asked.after - memory.asked.before) if memory.asked else 0)


def occupied(counts: Counts) -> int:
    """Count the processes of a type that are alive or asked for, draining ones included."""
    return max(counts.desired, counts.running + counts.starting + counts.failed + counts.unknown) + counts.draining


def _is_ours(memory: Memory, desired: int) -> bool:
    """Tell whether a size is what was there, what was asked for, or a part of the way."""
    if memory.asked is None:
        return desired == memory.desired
    low, high = sorted((memory.asked.before, memory.asked.after))
    return low <= desired <= high


def _accepted(memory: Memory, desired: int) -> SizeChange | None:
    if memory.asked is None or memory.asked.before == desired:
        return None
    return replace(memory.asked, after=desired)


def _changes(settings: TypeSettings, now: float, accepted: SizeChange | None, changes: tuple[SizeChange, ...]) -> tuple[SizeChange, ...]:
    if accepted is not None:
        changes = (*changes, accepted)
    if not changes:
        return changes
    horizon = now - _longest_memory(settings)
    return changes if changes[0].now > horizon else tuple(change for change in changes if change.now > horizon)


def _longest_memory(settings: TypeSettings) -> float:
    spans = [settings.scale_out.cooldown_seconds, settings.scale_in.cooldown_seconds]
    spans += [limit.period_seconds for limit in (*settings.scale_out.at_most, *settings.scale_in.at_most)]
    return max(spans)


def _ready(observation: Observation, ready: tuple[ReadyCount, ...]) -> tuple[ReadyCount, ...]:
    running = observation.counts.running
    if ready and ready[-1].running == running:
        return ready
    # One entry older than the horizon stays: it says how many were ready when the horizon began.
    horizon = observation.now - _READY_HISTORY_SECONDS
    while len(ready) > 1 and ready[1].since <= horizon:
        ready = ready[1:]
    return (*ready, ReadyCount(observation.now, running))
