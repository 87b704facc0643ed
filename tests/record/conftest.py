from __future__ import annotations

from collections.abc import Callable

import pytest

from autoscaler.events import Tick
from autoscaler.model import Adjustment, Counts, Decision, Observation, PolicyAnswer, ProcessType, Reading, Recommendation

REASON = "700 waiting / (2.5/s x 60 s) = 4.67 -> 5"


@pytest.fixture
def decision() -> Decision:
    """The decision behind the example line of the design."""
    return Decision(
        observation=Observation(
            now=5021.25,
            at=1763800000.0,
            process_type=ProcessType(name="worker", minimum=0, maximum=40),
            counts=Counts(desired=2, running=2),
            readings={"jobs_waiting": Reading("jobs_waiting", 700.0, 5020.85)},
        ),
        answers=(PolicyAnswer("backlog", Recommendation(5, REASON)),),
        adjustments=(Adjustment("rate_limit", 5, 4, "2 more are the most in 15 s"),),
        target=4,
        action="scale_out",
        reason=f"{REASON}; 2 more are the most in 15 s",
    )


@pytest.fixture
def tick(decision) -> Callable[..., Tick]:
    def make(*decisions: Decision, now: float = 5021.25, at: float = 1763800000.0) -> Tick:
        return Tick(now=now, at=at, decisions=decisions or (decision,), formations={}, board={})

    return make
