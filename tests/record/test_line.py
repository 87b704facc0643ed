from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.events import Notice
from autoscaler.model import Abstain, Missing, PolicyAnswer, Reading, Recommendation
from autoscaler.record import RecordError, decision_line, notice_line, to_json
from autoscaler.record.line import to_monotonic, to_wall

EXAMPLE = """
{"event": "decision", "at": 1763800000.0, "now": 5021.25, "process_type": "worker",
 "observed": {"desired": 2, "running": 2, "starting": 0, "draining": 0, "failed": 0, "unknown": 0},
 "readings": {"jobs_waiting": {"value": 700.0, "at": 1763799999.6, "by_process": null}}, "missing": {},
 "recommendations": [{"policy": "backlog", "processes": 5, "reason": "700 waiting / (2.5/s x 60 s) = 4.67 -> 5", "memory": null}],
 "adjustments": [{"rule": "rate_limit", "from": 5, "to": 4, "reason": "2 more are the most in 15 s"}],
 "target": 4, "action": "scale_out", "reason": "700 waiting / (2.5/s x 60 s) = 4.67 -> 5; 2 more are the most in 15 s"}
"""


def microseconds(most: float) -> st.SearchStrategy[float]:
    return st.integers(0, round(most * 1e6)).map(lambda count: count / 1e6)


def test_decision_is_written_as_the_design_shows(decision):
    assert to_json(decision_line(decision)) == EXAMPLE.replace("\n", "").strip()


@pytest.mark.parametrize("answer", [Missing("jobs_waiting", "connection refused"), Abstain("out of its window")])
def test_policy_without_a_number_has_null_processes(decision, answer):
    line = decision_line(replace(decision, answers=(PolicyAnswer("backlog", answer),)))

    assert line["recommendations"] == [{"policy": "backlog", "processes": None, "reason": answer.reason, "memory": None}]


def test_values_of_each_process_are_written(decision):
    reading = Reading("busy", 0.5, 5021.0, 60.0, {"web.1": 0.25, "web.2": 0.75})

    line = decision_line(replace(decision, observation=replace(decision.observation, readings={"busy": reading})))

    assert line["readings"] == {"busy": {"value": 0.5, "at": 1763799999.75, "by_process": {"web.1": 0.25, "web.2": 0.75}, "window_seconds": 60.0}}


@pytest.mark.parametrize("memory", [float("nan"), float("inf"), object(), {1.5: {2}}])
def test_memory_that_is_not_json_is_refused_by_name(decision, memory):
    answers = (PolicyAnswer("own", Recommendation(1, "because", memory)),)

    with pytest.raises(RecordError, match="decision line of worker cannot be written"):
        to_json(decision_line(replace(decision, answers=answers)))


def test_notice_begins_with_event_and_times():
    notice = Notice(event="pause", now=1.5, at=9.5, details={"process_type": "web", "at": "never"})

    assert to_json(notice_line(notice)) == '{"event": "pause", "at": 9.5, "now": 1.5, "process_type": "web"}'


def test_notice_that_is_not_json_is_refused():
    with pytest.raises(RecordError, match="the pause line cannot be written"):
        to_json(notice_line(Notice(event="pause", now=1.5, at=9.5, details={"until": float("nan")})))


def test_text_keeps_its_letters():
    assert to_json({"event": "é"}) == '{"event": "é"}'


@given(now=microseconds(1e9), wall=microseconds(4e9), age=microseconds(1000))
def test_times_survive_the_way_there_and_back(now, wall, age):
    at = round(now - age, 6)

    written = json.loads(json.dumps(to_wall(at, wall, now)))

    assert written == round(written, 6)
    assert to_monotonic(written, wall, now) == at
