from __future__ import annotations

import pytest

from autoscaler.events import Notice
from autoscaler.record import Circumstances, RecordError, circumstances_of


def notice(event: str, **details) -> Notice:
    return Notice(event=event, now=1.0, at=2.0, details={"process_type": "web", **details})


@pytest.mark.parametrize(
    ("told", "after"),
    [
        (notice("startup", seconds=1.5), Circumstances(startup_seconds=1.5)),
        (notice("crash_loop", crash_looping=True), Circumstances(is_crash_looping=True)),
        (notice("called", called=True), Circumstances(is_called=True)),
        (notice("room", processes=3), Circumstances(room=3)),
        (notice("room", processes=None), Circumstances()),
        (notice("unready", cause="no right to look"), Circumstances(unready="no right to look")),
        (notice("choice", idlest=False), Circumstances(chooses_idlest=False)),
        (notice("reload", ok=True), Circumstances()),
    ],
)
def test_a_notice_tells_one_thing(told, after):
    assert Circumstances().after(told) == after


def test_the_state_of_a_start_tells_all():
    web = {"crash_looping": True, "called": False, "room": 4, "unready": "blind", "idlest": False}
    state = {"memories": {}, "startups": {"web": 2}, "seen": {"web": web, "job": {}}}

    found = circumstances_of(state)

    web_then = Circumstances(startup_seconds=2.0, is_crash_looping=True, room=4, unready="blind", chooses_idlest=False)
    assert found == {"web": web_then, "job": Circumstances()}


def test_a_start_without_state_tells_nothing():
    assert circumstances_of(None) == {}


@pytest.mark.parametrize("state", [{"startups": {"web": "soon"}}, {"seen": {"web": {"room": 1.5}}}, [1]])
def test_a_state_of_another_shape_is_named(state):
    with pytest.raises(RecordError, match="the state of the start line"):
        circumstances_of(state)


@pytest.mark.parametrize("told", [notice("startup", seconds=None), notice("called", called="yes"), notice("room", processes=-0.5)])
def test_a_notice_of_another_shape_is_named(told):
    with pytest.raises(RecordError, match=f"the {told.event} line at 2.0"):
        Circumstances().after(told)
