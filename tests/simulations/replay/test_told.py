"""What the lines of a record tell of the decisions that follow them."""

import pytest

from autoscaler.decide.settings import Pause
from autoscaler.events import Notice
from autoscaler.record import Circumstances, RecordError, Start
from autoscaler_simulations.replay.told import NOTHING_TOLD, told_by


@pytest.fixture
def notice():
    def make(event, **details):
        return Notice(event=event, now=1.0, at=2.0, details=details)

    return make


@pytest.fixture
def start():
    def make(state):
        return Start(version="1", at=2.0, now=1.0, configuration=None, state=state)

    return make


def test_pause_holds_until_it_is_resumed(notice):
    paused = NOTHING_TOLD.after(notice("pause", process_type="web", scale_out=True, scale_in=False, reason="x"))

    assert paused.pauses == {"web": Pause(scale_out=True, reason="x")}
    assert paused.after(notice("resume", process_type="web")).pauses == {}


def test_circumstances_of_a_type_change_one_by_one(notice):
    told = NOTHING_TOLD.after(notice("room", process_type="web", processes=3)).after(notice("called", process_type="web", called=True))

    assert told.of("web") == Circumstances(room=3, is_called=True)
    assert told.of("worker") == Circumstances()


def test_start_line_tells_all_at_once(start):
    pause = {"scale_out": True, "scale_in": True, "reason": "y"}
    told = told_by(start({"pauses": {"web": pause}, "startups": {"web": 2.5}, "seen": {}}))

    assert (told.pauses, told.of("web").startup_seconds) == ({"web": Pause(scale_out=True, scale_in=True, reason="y")}, 2.5)


def test_start_line_may_tell_nothing(start):
    assert told_by(start(None)) == NOTHING_TOLD


@pytest.mark.parametrize(
    ("details", "cause"),
    [
        (
            {"process_type": "web", "scale_out": "yes", "scale_in": True, "reason": ""},
            r"pause line at 2.0.web.scale_out: Input should be a valid boolean",
        ),
        ({"process_type": 3}, "pause line at 2.0: process_type: 3 is no name"),
    ],
)
def test_pause_of_another_shape_is_named(notice, details, cause):
    with pytest.raises(RecordError, match=cause):
        NOTHING_TOLD.after(notice("pause", **details))


def test_pauses_of_another_shape_in_a_start_line_are_named(start):
    with pytest.raises(RecordError, match=r"pauses\.web: .*object"):
        told_by(start({"pauses": {"web": 3}}))


def test_other_notices_tell_nothing(notice):
    assert NOTHING_TOLD.after(notice("clock_step", seconds=3)) is NOTHING_TOLD
