"""Backends are asked and told side by side, and each holds only its own types."""

import threading
from dataclasses import replace

import pytest

from autoscaler.clock import VirtualClock
from autoscaler.loop import Controller
from autoscaler.model import Counts, Formation, TypeFormation

_LONG = 20.0


@pytest.fixture
def controller_of(make_settings, make_source, make_listener):
    """Make a controller of one type for each backend, with 5 jobs for all."""

    def make(**backends):
        settings = make_settings(make_source([5.0]), *backends)
        types = tuple(replace(one, backend=one.name) for one in settings.types)
        listener = make_listener()
        return Controller(replace(settings, types=types), backends, clock=VirtualClock(1000.0, 1e9), pauses=lambda _: {}, listeners=[listener])

    return make


def test_backends_are_observed_and_scaled_side_by_side(controller_of, make_backend):
    meeting = threading.Barrier(2, timeout=_LONG)  # broken unless both are under way at once

    class Meeting(make_backend):
        def observe(self):
            meeting.wait()
            return super().observe()

        def scale(self, changes):
            meeting.wait()
            return super().scale(changes)

    controller = controller_of(web=Meeting({"web": 2}), worker=Meeting({"worker": 2}))
    controller.poll_all()
    tick = controller.tick()
    assert tick.errors == {}
    assert [decision.target for decision in tick.decisions] == [5, 5]


def test_a_type_that_its_backend_does_not_know_now_is_named_with_the_cause(controller_of, make_backend):
    class Blind(make_backend):
        def observe(self):
            return Formation({}, errors={"worker": "connection refused by engine.example"})

    web = make_backend({"web": 2})
    controller = controller_of(web=web, worker=Blind({}))
    controller.poll_all()
    tick = controller.tick()
    assert tick.errors == {"worker": "not observed: connection refused by engine.example"}
    assert web.types["web"].counts.desired == 5


def test_what_is_not_known_of_a_type_reaches_its_policies(controller_of, make_backend):
    backend = make_backend({"web": 2})
    backend.types["web"] = TypeFormation(Counts(2, 2), unready="no right to look", chooses_idlest=False)
    controller = controller_of(web=backend)
    controller.poll_all()
    observation = controller.tick().decisions[0].observation
    assert (observation.unready, observation.chooses_idlest) == ("no right to look", False)


def test_secrets_in_what_a_backend_says_of_a_type_are_hidden(make_settings, make_source, make_backend):
    backend = make_backend({"worker": 2})
    backend.types["worker"] = TypeFormation(Counts(2, 2), notes=("said s3cret",), obstacle="not with s3cret", unready="s3cret lacks a right")
    settings = replace(make_settings(make_source([5.0])), hide=lambda text: text.replace("s3cret", "${NAME}"))
    tick = Controller(settings, {"default": backend}, clock=VirtualClock(1000.0, 1e9), pauses=lambda _: {}, listeners=[]).tick()
    seen = tick.formations["worker"]
    assert (seen.notes, seen.obstacle, seen.unready) == (("said ${NAME}",), "not with ${NAME}", "${NAME} lacks a right")
    assert tick.decisions[0].observation.unready == seen.unready
