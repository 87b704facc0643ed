"""The check that a real record is decided again to the byte."""

import json

import pytest

from fidelity.replay import judge

LINES = [
    {
        "event": "start",
        "version": "0.1.0",
        "at": 10.0,
        "now": 1.0,
        "configuration": {"formation": {"web": {"minimum": 2, "maximum": 2}}},
        "state": None,
    },
    {
        "event": "decision",
        "at": 11.0,
        "now": 2.0,
        "process_type": "web",
        "observed": {"desired": 0, "running": 0, "starting": 0, "draining": 0, "failed": 0, "unknown": 0},
        "readings": {},
        "missing": {},
        "recommendations": [],
        "adjustments": [],
        "target": 2,
        "action": "scale_out",
        "reason": "no policies: the minimum 2",
    },
]


@pytest.fixture
def lines():
    def write(**changes):
        return [json.dumps(LINES[0]) + "\n", json.dumps({**LINES[1], **changes}) + "\n"]

    return write


def test_record_that_is_decided_again_alike_holds(lines):
    result = judge(lines())

    assert (result.holds, result.lines) == (True, ("1 of 1 decisions are the same to the byte; 1 scale out and 0 scale in",))


def test_decision_of_another_size_does_not_hold(lines):
    assert not judge(lines(target=1)).holds


@pytest.mark.parametrize("text", ["", '{"event": 3}\n'])
def test_what_is_no_record_does_not_hold(text):
    assert not judge([text]).holds
