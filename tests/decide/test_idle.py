"""With ``scale_in: {when: idle}`` only processes that do nothing go."""

import pytest

from autoscaler.decide.idle import hold_busy
from autoscaler.decide.memory import Memory
from autoscaler.decide.settings import DirectionLimits, NamedPolicy, Pause, TypeSettings
from autoscaler.decide.situation import Situation
from autoscaler.model import Counts, Observation, ProcessType, Reading
from autoscaler_policies.backlog import Backlog

_BACKLOG = NamedPolicy("backlog", Backlog(waiting="waiting", busy="working", job_takes_seconds=1.0))
_TYPE = ProcessType(name="worker", minimum=0, maximum=20)


def _situation(readings: tuple[Reading, ...], *, when: str = "idle", chooses: bool = True, missing: dict[str, str] | None = None) -> Situation:
    settings = TypeSettings(process_type=_TYPE, policies=(_BACKLOG,), scale_in=DirectionLimits(when=when))
    seen = Observation(
        now=10.0,
        at=10.0,
        process_type=_TYPE,
        counts=Counts(desired=4, running=4),
        readings={reading.metric: reading for reading in readings},
        missing=missing or {},
        chooses_idlest=chooses,
    )
    return Situation(settings, seen, Memory(), Pause())


def _loads(*loads: float) -> tuple[Reading, ...]:
    return (Reading("load", sum(loads), 9.0, by_process={f"worker.{number}": load for number, load in enumerate(loads)}),)


def _working(jobs: float) -> tuple[Reading, ...]:
    return (Reading("working", jobs, 9.0),)


@pytest.mark.parametrize(
    ("loads", "wanted", "held"),
    [
        ((0.0, 2.0, 0.0, 1.0), 1, 2),
        ((0.0, 2.0, 0.0, 1.0), 3, None),
        ((1.0, 1.0, 1.0, 1.0), 1, 4),
        ((0.0, 0.0, 0.0, 0.0), 0, None),
        ((float("nan"), 0.0, 0.0, 0.0), 0, 1),
    ],
)
def test_as_many_go_as_are_idle_where_the_backend_chooses_them(loads, wanted, held):
    adjustment = hold_busy(_situation(_loads(*loads)), wanted)
    assert (adjustment and adjustment.after) == held


def test_none_goes_before_all_are_idle_where_the_backend_does_not_choose():
    adjustment = hold_busy(_situation(_loads(0.0, 0.0, 0.0, 1.0), chooses=False), 1)
    assert (adjustment.rule, adjustment.before, adjustment.after) == ("idle", 1, 4)
    assert adjustment.reason == "1 of 4 work, and the backend cannot choose which process goes"
    assert hold_busy(_situation(_loads(0.0, 0.0, 0.0, 0.0), chooses=False), 1) is None


def test_a_process_that_did_not_answer_may_work():
    adjustment = hold_busy(_situation(_loads(0.0, 0.0)), 0)
    assert (adjustment.after, adjustment.reason) == (2, "0 of 2 work and 2 of 4 did not say, and only idle ones go")
    assert hold_busy(_situation(_loads(0.0, 0.0), chooses=False), 3).after == 4


def test_a_process_that_has_gone_since_is_not_idle_any_more():
    assert hold_busy(_situation(_loads(0.0, 0.0, 1.0, 1.0, 1.0)), 0).after == 3


def test_a_total_holds_until_it_is_zero():
    assert hold_busy(_situation(_working(3)), 1).reason == "working is 3, and nothing tells which process works"
    assert hold_busy(_situation(_working(0)), 1) is None


@pytest.mark.parametrize("readings", [(), _working(-1.0), _working(float("nan"))])
def test_missing_data_is_not_idle(readings):
    adjustment = hold_busy(_situation(readings, missing={"working": "no answer"}), 1)
    assert adjustment.after == 4
    assert adjustment.reason.startswith("it is not known who works: working is missing")


def test_scale_out_and_other_types_are_not_held():
    assert hold_busy(_situation(_working(3)), 5) is None
    assert hold_busy(_situation(_working(3), when="always"), 1) is None
