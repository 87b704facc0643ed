"""Celery's autoscaler: what makes a pool grow, and what lets it shrink."""

import pytest

from autoscaler.model import Counts, MissingReadingError, Observation, ProcessType, Reading
from autoscaler_simulations.peers.celery_autoscale import CeleryAutoscale

POOL = ProcessType(name="pool", minimum=0, maximum=99)
CELERY = CeleryAutoscale(reserved="reserved", minimum=2, maximum=10)


def ask(now, reserved, size, memory=None):
    observation = Observation(now, 0.0, POOL, Counts(size, size), {"reserved": Reading("reserved", float(reserved), now)})
    recommendation = CELERY.recommend(observation, memory)
    return recommendation.processes, recommendation.memory


def test_a_pool_grows_at_once_and_remembers_when():
    assert ask(50.0, 6, 2) == (6, 50.0)
    assert ask(51.0, 20, 6, 50.0) == (10, 51.0)


@pytest.mark.parametrize(("now", "size"), [(80.0, 6), (80.001, 3)])
def test_a_pool_shrinks_once_the_last_growth_is_longer_past_than_the_wait(now, size):
    assert ask(now, 3, 6, 50.0) == (size, 50.0)


def test_a_pool_that_never_grew_never_shrinks():
    assert ask(2000.0, 0, 8) == (8, None)


@pytest.mark.parametrize(("size", "within"), [(12, 10), (1, 2)])
def test_a_limit_is_applied_without_a_wait(size, within):
    assert ask(51.0, 5, size, 50.0) == (within, 50.0)


def test_a_pool_that_fits_stays():
    assert ask(90.0, 4, 4, 50.0) == (4, 50.0)


def test_reserved_requests_that_are_missing_are_missing():
    with pytest.raises(MissingReadingError):
        CELERY.recommend(Observation(0.0, 0.0, POOL, Counts(4, 4)), None)
