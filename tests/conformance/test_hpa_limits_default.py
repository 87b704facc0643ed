"""The HPA without scaling rules: the cap of growth, the limits, and the highest of the downscale window."""

import pytest

from autoscaler.decide.memory import Memory
from autoscaler.decide.settings import DirectionLimits, TypeSettings
from autoscaler.decide.situation import Situation
from autoscaler.decide.stabilization import stabilize
from autoscaler.model import Counts, Observation, ProcessType
from tests.conformance.hpa_cases import NOW, growth_of, limited, reasons_of, windows_of

pytestmark = pytest.mark.shared


def _situation(process_type, current, memory, **directions) -> Situation:
    settings = TypeSettings(process_type=process_type, **({"scale_in": DirectionLimits()} | directions))
    return Situation(settings, Observation(NOW, 0.0, process_type, Counts(current, current)), memory, settings.pause)


def _limit(case) -> None:
    process_type = ProcessType(name="web", minimum=case["min"] or 0, maximum=case["max"])
    growth = growth_of(case["scale_up_limit_factor"], case["scale_up_limit_minimum"], case["current_replicas"])
    replicas, adjustments = limited(_situation(process_type, case["current_replicas"], Memory(), scale_out=growth), case["desired_replicas"])

    assert replicas == case["expect"]["replicas"]
    assert reasons_of(adjustments) == [case["expect"]["reason"]]


def _stabilize(case) -> None:
    desired, window = case["desired_replicas"], float(case["downscale_window_s"])
    memory, stored = windows_of(case["recommendations"], desired, 0.0, window)
    # The case says nothing of the present size; ours is no smaller than what is remembered, or it would be a scale-out.
    current = max([desired, *(one["replicas"] for one in case["recommendations"])])
    situation = _situation(ProcessType(name="web", minimum=0, maximum=100), current, memory, scale_in=DirectionLimits(stabilization_seconds=window))
    adjustment = stabilize(situation, desired)

    assert (adjustment.after if adjustment else desired) == case["expect"]["replicas"]
    assert len(stored) <= case["expect"]["log_length_after"]


def test_limit_changes_the_number_as_the_hpa_does(case):
    {"limit_default": _limit, "stabilize_default": _stabilize}[case["kind"]](case)
