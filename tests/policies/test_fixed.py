"""The fixed policy: one number, always."""

import pytest

from autoscaler.decide.settings import metrics_of
from autoscaler.model import Counts, Observation, ProcessType, Recommendation
from autoscaler_policies.fixed import Fixed


def observe(desired):
    return Observation(0.0, 0.0, ProcessType(name="web", minimum=0, maximum=9), Counts(desired, desired))


@pytest.mark.parametrize("desired", [0, 4, 9])
def test_the_number_is_the_same_whatever_runs(desired):
    assert Fixed(processes=4).recommend(observe(desired), None) == Recommendation(4, "fixed: 4")


def test_none_is_a_number_too():
    assert Fixed(processes=0).recommend(observe(2), None).processes == 0


def test_no_metric_is_read():
    assert metrics_of(Fixed(processes=4)) == ()


def test_fewer_than_none_is_refused():
    with pytest.raises(ValueError, match="processes is -1, and there are no fewer than none"):
        Fixed(processes=-1)


@pytest.mark.parametrize(("processes", "leaves"), [(0, False), (2, True)])
def test_it_leaves_zero_unless_it_is_zero(processes, leaves):
    assert Fixed(processes=processes).leaves_zero(()) is leaves
