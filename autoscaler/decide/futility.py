"""Guard of stage 6: notice when more processes bring no more completed work, because something behind them is the limit.

Two scale-outs of a quarter or more, each ready for the window of the completions and the time of a job, that added less than a
tenth of what their processes should complete while jobs waited all along, are in vain. ``futility: stop`` then adds one process
every ten minutes to try again; ``warn`` only says so.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import cast

from autoscaler.decide.memory import Futility, Memory, SizeChange, Trial
from autoscaler.decide.policy import Policy, TellsProgress
from autoscaler.decide.settings import TypeSettings
from autoscaler.decide.situation import Situation
from autoscaler.model import Adjustment, MissingReadingError, Observation, Progress

_SCALE_OUTS = 2
_TENTH = 0.1
_PROBE_SECONDS = 600.0
REMARK = "the last scale-outs completed no more work: look at what the processes wait for"


def hold_futile(situation: Situation, processes: int) -> Adjustment | None:
    """Hold scale-out to one process every ten minutes where it is in vain and ``futility`` says stop."""
    if situation.settings.futility != "stop" or processes <= situation.current or not is_in_vain(situation.memory):
        return None
    left = _PROBE_SECONDS - (situation.now - (situation.memory.futility or Futility()).probed_at)
    if left > 0:
        return Adjustment("futility", processes, situation.current, f"{REMARK}; one more is tried in {math.ceil(left)} s")
    if processes == situation.current + 1:
        return None
    return Adjustment("futility", processes, situation.current + 1, f"{REMARK}; one more is tried now")


def is_in_vain(memory: Memory) -> bool:
    """Tell whether the last scale-outs brought nothing."""
    return memory.futility is not None and memory.futility.in_vain >= _SCALE_OUTS


def follow(settings: TypeSettings, observation: Observation, memory: Memory) -> Futility | None:
    """Return what is known of the use of scale-outs after a new observation; ``None`` as soon as nothing waits."""
    change = _newest_change(memory)
    if memory.futility is None and (change is None or not _is_large(change)):
        return None
    progress = _progress(settings, observation, memory)
    if progress is None or not math.isfinite(progress.completed_per_second):
        return memory.futility
    if progress.backlog <= 0:
        return None
    known = _begin(memory.futility or Futility(), change, progress, observation.now)
    trial = known.trial
    if trial is None:
        return _forgive(known, progress)
    if trial.ready_at is None and observation.counts.running >= trial.after:
        trial = replace(trial, ready_at=observation.now)
    if trial.ready_at is None or observation.now - trial.ready_at < progress.window_seconds + (progress.job_seconds or 0.0):
        return _forgive(replace(known, trial=trial), progress)
    return _judge(known, trial, progress, observation)


def _newest_change(memory: Memory) -> SizeChange | None:
    """Return the change that this observation showed to be accepted."""
    return memory.changes[-1] if memory.changes and memory.changes[-1].now == memory.last_tick else None


def _is_large(change: SizeChange) -> bool:
    return 4 * change.after >= 5 * change.before and change.after > change.before


def _begin(known: Futility, change: SizeChange | None, progress: Progress, now: float) -> Futility:
    """Begin a trial with a scale-out of a quarter or more, or with a probe; a scale-in ends it."""
    if change is None or change.after == change.before:
        return known
    if change.after < change.before:
        return replace(known, trial=None)
    is_probe = known.in_vain >= _SCALE_OUTS
    if not is_probe and not _is_large(change):
        return known
    running = known.trial or Trial(change.before, change.after, progress.completed_per_second, scale_outs=0)
    trial = replace(running, after=change.after, scale_outs=running.scale_outs + 1, ready_at=None)
    return replace(known, trial=trial, probed_at=now if is_probe else known.probed_at)


def _judge(known: Futility, trial: Trial, progress: Progress, observation: Observation) -> Futility:
    expected = (trial.after - trial.before) * _each(trial, progress, observation)
    needed = trial.rate + _TENTH * expected
    if progress.completed_per_second > needed or (expected > 0 and progress.completed_per_second == needed):
        return Futility()
    return Futility(in_vain=known.in_vain + trial.scale_outs, rate=needed, probed_at=known.probed_at or observation.now)


def _each(trial: Trial, progress: Progress, observation: Observation) -> float:
    """Return the jobs a second that one more process should complete: as those before it did, else as its slots allow."""
    if trial.before > 0 and trial.rate > 0:
        return trial.rate / trial.before
    return observation.process_type.slots / progress.job_seconds if progress.job_seconds else 0.0


def _forgive(known: Futility, progress: Progress) -> Futility:
    """Forget what was in vain as soon as the work goes on."""
    return replace(known, in_vain=0) if known.in_vain and progress.completed_per_second > known.rate else known


def _progress(settings: TypeSettings, observation: Observation, memory: Memory) -> Progress | None:
    for named in settings.policies:
        if not _tells_progress(type(named.policy)):
            continue
        try:
            progress = cast(TellsProgress, named.policy).progress(observation, memory.policies.get(named.name))
        except MissingReadingError:
            continue
        if progress is not None:
            return progress
    return None


@cache
def _tells_progress(kind: type[Policy]) -> bool:
    return callable(getattr(kind, "progress", None))
