"""Guard of stage 6: notice when more processes bring no more completed work, because something behind them is the limit.

Two scale-outs of a quarter or more, each ready for the window of the completions and the time of a job, that added less than a
tenth of what their processes should complete while jobs waited all along, are in vain. ``futility: stop`` then adds one process
every ten minutes to try again; ``warn`` only says so.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache, partial
from typing import cast

from autoscaler.decide.asking import Asking
from autoscaler.decide.memory import Futility, Memory, SizeChange, Trial
from autoscaler.decide.policy import Policy, TellsProgress
from autoscaler.decide.settings import NamedPolicy, TypeSettings
from autoscaler.decide.situation import Situation
from autoscaler.model import Adjustment, MissingReadingError, Observation, Progress

_SCALE_OUTS = 2
_TENTH = 0.1
_PROBE_SECONDS = 600.0
_MOST_TRIALS = 8  # under way at once; with faster scale-outs the first ones tell enough
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


def follow(settings: TypeSettings, observation: Observation, memory: Memory, asking: Asking) -> Futility | None:
    """Return what is known of the use of scale-outs after a new observation; ``None`` as soon as nothing waits."""
    change = memory.accepted
    if memory.futility is None and (change is None or not _is_large(change)):
        return None
    known = _end_trials(memory)
    progress = _progress(settings, observation, memory, asking)
    if progress is not None and progress.backlog <= 0:
        return None
    if change is not None and change.after > change.before:
        known = _begin(known, change, progress, observation.now)
    known = known if progress is None else _judge(known, progress, observation)
    return known if known.trials or known.in_vain else None


def _is_large(change: SizeChange) -> bool:
    return 4 * change.after >= 5 * change.before and change.after > change.before


def _end_trials(memory: Memory) -> Futility:
    """Watch no scale-out any more after a scale-in, or a change by somebody else."""
    known, change = memory.futility or Futility(), memory.accepted
    if change is not None and change.after < change.before:
        return Futility()  # fewer processes: what more of them brought tells nothing any more
    return replace(known, trials=()) if memory.set_by_others else known


def _begin(known: Futility, change: SizeChange, progress: Progress | None, now: float) -> Futility:
    """Watch a scale-out of a quarter or more, or a probe."""
    is_probe = known.in_vain >= _SCALE_OUTS
    known = replace(known, probed_at=now) if is_probe else known
    if progress is None or len(known.trials) == _MOST_TRIALS or not (is_probe or _is_large(change)):
        return known
    trial = Trial(change.before, change.after, progress.completed_per_second, progress.backlog)
    return replace(known, trials=(*known.trials, trial))


def _judge(known: Futility, progress: Progress, observation: Observation) -> Futility:
    """Judge the scale-outs whose processes have had their time, the oldest first; forget all as soon as the work goes on."""
    if known.in_vain and progress.completed_per_second > known.rate:
        known = replace(known, in_vain=0)
    trials = tuple(_ready(trial, observation) for trial in known.trials)
    known = replace(known, trials=trials) if trials != known.trials else known
    while known.trials and _has_had_its_time(known.trials[0], progress, observation):
        trial, known = known.trials[0], replace(known, trials=known.trials[1:])
        known = _verdict(known, trial, progress, observation)
    return known


def _ready(trial: Trial, observation: Observation) -> Trial:
    is_ready = trial.ready_at is None and observation.counts.running >= trial.after
    return replace(trial, ready_at=observation.now) if is_ready else trial


def _has_had_its_time(trial: Trial, progress: Progress, observation: Observation) -> bool:
    """Tell whether the completions were counted after a job could be completed by processes that were all ready."""
    if trial.ready_at is None:
        return False
    job = progress.job_seconds
    if job is None:  # as long as it took when all slots worked (Little 1961); where nothing was completed, as long as a probe waits
        job = trial.before * observation.process_type.slots / trial.rate if trial.rate > 0 and trial.before > 0 else _PROBE_SECONDS
    return progress.at - progress.window_seconds >= trial.ready_at + job


def _verdict(known: Futility, trial: Trial, progress: Progress, observation: Observation) -> Futility:
    """Count a scale-out in vain when jobs stood for every slot all along and less than a tenth of what was expected is completed."""
    stood = progress.backlog >= trial.backlog and progress.backlog >= observation.counts.running * observation.process_type.slots
    expected = (trial.after - trial.before) * _each(trial, progress, observation)
    needed = trial.rate + _TENTH * expected
    if not stood or progress.completed_per_second > needed or (expected > 0 and progress.completed_per_second == needed):
        return replace(known, in_vain=0)
    return replace(known, in_vain=known.in_vain + 1, rate=needed, probed_at=known.probed_at or observation.now)


def _each(trial: Trial, progress: Progress, observation: Observation) -> float:
    """Return the jobs a second that one more process should complete: as those before it did, else as its slots allow."""
    if trial.before > 0 and trial.rate > 0:
        return trial.rate / trial.before
    return observation.process_type.slots / progress.job_seconds if progress.job_seconds else 0.0


def _progress(settings: TypeSettings, observation: Observation, memory: Memory, asking: Asking) -> Progress | None:
    for named in settings.policies:
        if _tells_progress(type(named.policy)):
            progress = asking.attempt(partial(_ask, named, observation, memory), _nothing)
            if progress is not None and math.isfinite(progress.completed_per_second):
                return progress
    return None


def _ask(named: NamedPolicy, observation: Observation, memory: Memory) -> Progress | None:
    try:
        return cast(TellsProgress, named.policy).progress(observation, memory.policies.get(named.name))
    except MissingReadingError:
        return None


def _nothing(_cause: str) -> None:
    """Learn nothing from a policy that fails at this: what it recommends is not touched by it."""


@cache
def _tells_progress(kind: type[Policy]) -> bool:
    return callable(getattr(kind, "progress", None))
