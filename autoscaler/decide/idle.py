"""Guard of stage 6, for ``scale_in: {when: idle}``: remove only processes that do nothing."""

from __future__ import annotations

from autoscaler.decide.situation import Situation
from autoscaler.model import Adjustment, MissingReadingError, Observation

_NOT_CHOSEN = "and the backend cannot choose which process goes"


def hold_busy(situation: Situation, processes: int) -> Adjustment | None:
    """Hold a scale-in that would take a process at work: as many go as are idle, or none before all are where the backend does not choose."""
    if situation.settings.scale_in.when != "idle" or processes >= situation.current:
        return None
    try:
        idle, reason = _count_idle(situation)
    except MissingReadingError as error:
        idle, reason = 0, f"it is not known who works: {error}"
    held = max(processes, situation.current - idle)
    return Adjustment("idle", processes, held, reason) if held > processes else None


def busy_metrics(situation: Situation) -> tuple[str, ...]:
    """Name the metrics by which the policies of a type tell how much work is being done."""
    named = (getattr(each.policy, "busy", None) for each in situation.settings.policies)
    return tuple(dict.fromkeys(metric for metric in named if isinstance(metric, str)))


def _count_idle(situation: Situation) -> tuple[int, str]:
    """Return how many processes may go now, and why not more; raise ``MissingReadingError`` when that is not known."""
    seen = situation.observation
    loads = next((reading.by_process for reading in seen.readings.values() if reading.by_process is not None), None)
    if loads is not None:
        return _count_by_process(seen, list(loads.values()), situation.current)
    totals = {metric: seen.amount(metric).value for metric in busy_metrics(situation)}
    if not totals:
        raise MissingReadingError("the load of each process", "no metric tells it now")
    working = sum(totals.values())
    return (situation.current, "") if working == 0 else (0, f"{' + '.join(totals)} is {working:g}, and nothing tells which process works")


def _count_by_process(seen: Observation, loads: list[float], current: int) -> tuple[int, str]:
    """Count what is known to be idle: a process that did not answer may work, and one that has gone since was among the idle ones."""
    running, busy = seen.counts.running, sum(not load <= 0 for load in loads)
    silent = max(0, running - len(loads))
    if busy == silent == 0:
        return current, ""
    known = f"{busy} of {len(loads)} work"
    said = f"{known} and {silent} of {running} did not say" if silent else known
    if not seen.chooses_idlest:
        return 0, f"{said}, {_NOT_CHOSEN}"
    return max(0, min(running, len(loads)) - busy), f"{said}, and only idle ones go"
