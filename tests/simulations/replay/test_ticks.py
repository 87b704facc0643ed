"""Putting the decisions of a record together that were made on one tick."""

import json

import pytest

from autoscaler.record import CutLine
from autoscaler_simulations.replay.ticks import RecordedTick, read_ticks

COUNTS = {"desired": 1, "running": 1, "starting": 0, "draining": 0, "failed": 0, "unknown": 0}


@pytest.fixture
def line():
    def write(name, now):
        lists = {"readings": {}, "missing": {}, "recommendations": [], "adjustments": []}
        result = {"target": 1, "action": "none", "reason": ""}
        return json.dumps({"event": "decision", "at": now, "now": now, "process_type": name, "observed": COUNTS, **lists, **result}) + "\n"

    return write


def test_consecutive_decisions_at_one_time_are_one_tick(line):
    first, second = read_ticks([line("web", 1.0), line("worker", 1.0), line("web", 2.0)])

    assert [written.decision.process_type for written in first.decisions] == ["web", "worker"]
    assert [written.text for written in second.decisions] == [line("web", 2.0).rstrip()]


def test_second_decision_on_a_type_at_one_time_is_another_tick(line):
    assert len(list(read_ticks([line("web", 1.0), line("web", 1.0)]))) == 2


def test_decisions_at_two_times_are_two_ticks(line):
    assert len(list(read_ticks([line("web", 1.0), line("worker", 2.0)]))) == 2


def test_notice_between_two_decisions_parts_them(line):
    events = list(read_ticks([line("web", 1.0), '{"event": "pause"}\n', line("worker", 1.0)]))

    assert [isinstance(event, RecordedTick) for event in events] == [True, False, True]


def test_tick_before_a_cut_line_may_lack_decisions(line):
    tick, cut = read_ticks([line("web", 1.0), line("worker", 1.0)[:30]])

    assert tick.is_cut
    assert isinstance(cut, CutLine)
