"""The HPA's scaling rules: rates, stabilization windows and the log of changes, against our stages of the pipeline."""

import pytest

from autoscaler.decide.memory import Memory, SizeChange, recall
from autoscaler.decide.rate_limit import limit_rate
from autoscaler.decide.settings import DirectionLimits, RateLimit, TypeSettings
from autoscaler.decide.situation import Situation
from autoscaler.decide.stabilization import stabilize
from autoscaler.model import Counts, Observation, ProcessType
from tests.conformance.hpa_cases import NOW, direction_of, limited, reasons_of, windows_of

pytestmark = pytest.mark.shared

_MANY = 2**31 - 1


def _situation(current, *, scale_out=DirectionLimits(), scale_in=DirectionLimits(), memory=Memory(), limits=(0, _MANY)) -> Situation:  # noqa: B008 - frozen values
    process_type = ProcessType(name="web", minimum=limits[0], maximum=limits[1])
    settings = TypeSettings(process_type=process_type, scale_out=scale_out, scale_in=scale_in)
    return Situation(settings, Observation(NOW, 0.0, process_type, Counts(current, current)), memory, settings.pause)


def _changes(events, *, is_out) -> list[SizeChange]:
    return [SizeChange(NOW - event["age_s"], *((0, event["change"]) if is_out else (event["change"], 0))) for event in events]


def _rate(case) -> None:
    changes = _changes(case["scale_up_events"], is_out=True) + _changes(case["scale_down_events"], is_out=False)
    situation = _situation(
        case["current_replicas"],
        scale_out=direction_of(case["scale_up"]),
        scale_in=direction_of(case["scale_down"]),
        memory=Memory(changes=tuple(sorted(changes, key=lambda change: change.now))),
        limits=(case["min"] or 0, case["max"]),
    )
    replicas, adjustments = limited(situation, case["desired_replicas"])

    assert replicas == case["expect"]["replicas"]
    assert reasons_of(adjustments) == [case["expect"]["reason"]]


def _limit(case) -> None:
    direction = direction_of(case["rules"])
    situation = _situation(case["current_replicas"], scale_out=direction, scale_in=direction)
    wanted = _MANY if case["direction"] == "up" else 0
    adjustment = limit_rate(situation, wanted)

    assert (adjustment.after if adjustment else wanted) == max(0, case["expect"]["limit"])


def _stabilize(case) -> None:
    out, into = (DirectionLimits(stabilization_seconds=float(case[key])) for key in ("up_window_s", "down_window_s"))
    memory, stored = windows_of(case["recommendations"], case["desired_replicas"], out.stabilization_seconds, into.stabilization_seconds)
    adjustment = stabilize(_situation(case["current_replicas"], scale_out=out, scale_in=into, memory=memory), case["desired_replicas"])

    assert (adjustment.after if adjustment else case["desired_replicas"]) == case["expect"]["replicas"]
    # The log of the HPA reuses the places of what is too old; what counts is that nothing in it that still holds is forgotten.
    assert stored <= set(case["expect"].get("stored_recommendations", stored))


def _log(case) -> None:
    longest, minute = (DirectionLimits(at_most=(RateLimit(1000, "processes", period),)) for period in (_longest_period(case), 60))
    before, after = 100, 100 + case["new_change"]
    past = _changes(case["events"], is_out=True)
    memory = Memory(changes=tuple(sorted(past, key=lambda change: change.now)), asked=SizeChange(NOW, before, after), desired=before)
    settings = _situation(after, scale_out=longest).settings
    recalled = recall(settings, Observation(NOW, 0.0, settings.process_type, Counts(after, after)), memory, 0)
    bound = limit_rate(_situation(before, scale_out=minute, memory=Memory(changes=memory.changes)), _MANY).after

    assert sorted(change.after - change.before for change in recalled.changes) == _unexpired(case)
    assert before + 1000 - bound == case["expect"]["change_in_last_60s"]


def _longest_period(case) -> float:
    """Return the longest period of the rules; without rules the HPA keeps no log."""
    return case["longest_policy_period_s"] or 0.0


def _unexpired(case) -> list[int]:
    """Keep of the HPA's log what is younger than the longest period; the rest is there until its place is reused."""
    expired = [event["change"] for event in case["events"] if event["age_s"] >= _longest_period(case)]
    stored = list(case["expect"]["stored_changes"])
    for change in expired:
        if change in stored:
            stored.remove(change)
    return sorted(stored)


_KINDS = {"behavior_rate": _rate, "behavior_limit": _limit, "behavior_stabilize": _stabilize, "event_log": _log}


def test_rule_changes_the_number_as_the_hpa_does(case):
    _KINDS[case["kind"]](case)
