"""No garbage is collected in the middle of a tick."""

import gc

import pytest

from autoscaler.loop.garbage import collected_afterwards


@pytest.fixture(autouse=True)
def enabled():
    gc.enable()
    yield
    gc.enable()


def test_collection_rests_within_and_goes_on_afterwards():
    with collected_afterwards():
        assert not gc.isenabled()

    assert gc.isenabled()


def test_collection_goes_on_after_an_error():
    with pytest.raises(ValueError, match="broken"), collected_afterwards():
        raise ValueError("broken")

    assert gc.isenabled()


def test_collection_that_somebody_else_has_turned_off_stays_off():
    gc.disable()
    with collected_afterwards():
        pass

    assert not gc.isenabled()


def test_tick_is_not_interrupted(make_rig):
    rig = make_rig(3.0)
    seen = []
    rig.controller._listeners[0].ticked = lambda _tick: seen.append(gc.isenabled())
    rig.controller.tick()

    assert seen == [False]
