"""An objective: who exceeds it, and which ones are refused."""

import numpy as np
import pytest

from autoscaler_simulations.score.errors import ScoreError
from autoscaler_simulations.score.objective import Objective

WAITS, SERVICES = np.array([0.0, 1.0, 3.0]), np.array([2.5, 0.5, 0.0])


@pytest.mark.parametrize(("measure", "exceeded"), [("wait", [False, False, True]), ("response", [True, False, True])])
def test_a_wait_counts_without_the_service_and_a_response_with_it(measure, exceeded):
    assert Objective(measure, 2.0).is_exceeded(WAITS, SERVICES).tolist() == exceeded


def test_a_request_exactly_at_the_objective_meets_it_late_in_a_year():
    start, wait = 31_536_000.1, 0.3

    assert not Objective("wait", wait).is_exceeded(np.array([(start + wait) - start]), np.zeros(1)).any()


@pytest.mark.parametrize(
    ("measure", "seconds", "share", "says"),
    [
        ("age", 1.0, 0.99, "objective measure: 'age' is unknown; write wait or response"),
        ("wait", -1.0, 0.99, "objective seconds: -1.0 is not a duration"),
        ("wait", float("nan"), 0.99, "objective seconds: nan is not a duration"),
        ("wait", float("inf"), 0.99, "objective seconds: inf is not a duration"),
        ("wait", 1.0, 1.0, "objective share: 1.0 is not between 0 and 1"),
        ("wait", 1.0, 0.0, "objective share: 0.0 is not between 0 and 1"),
    ],
)
def test_an_objective_that_says_nothing_is_refused(measure, seconds, share, says):
    with pytest.raises(ScoreError, match=says):
        Objective(measure, seconds, share)


def test_an_objective_reads_as_a_promise():
    assert str(Objective("wait", 5.0)) == "99 % wait at most 5 s"
    assert str(Objective("response", 0.5, 0.999)) == "99.9 % are answered within 0.5 s"
