import pytest

from autoscaler.events import Tick
from autoscaler.model import Counts, Decision, Observation, ProcessType, Reading


@pytest.fixture
def make_tick():
    def make(*, now=1.0, action="none", readings=None, missing=None, errors=None, **states):
        web = ProcessType(name="web", minimum=1, maximum=6)
        counts = Counts(**{"desired": 3, "running": 1, **states})
        known = {name: Reading(name, value, now) for name, value in (readings or {}).items()}
        observation = Observation(now=now, at=0.0, process_type=web, counts=counts, readings=known, missing=missing or {})
        decision = Decision(observation, (), (), 3, action, "21 / 7 per process = 3 -> 3")
        return Tick(now=now, at=0.0, decisions=(decision,), formations={}, board={}, errors=errors or {})

    return make
