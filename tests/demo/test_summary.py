from dataclasses import replace

import pytest

from autoscaler.demo.summary import Served, Summary
from autoscaler.demo.usage import Moment
from autoscaler.demo.waits import Waits

MOMENTS = (Moment(100.0, 1, "scale_out"), Moment(110.0, 4, "none"), Moment(120.0, 4, "scale_in"), Moment(130.0, 1, "none"))
SERVED = Served(jobs_done=90, job_wait=Waits(0.1, 1.5), requests_answered=400, requests_failed=0, response=Waits(0.11, 0.3))
GOOD = Summary(seconds=40.0, ended=140.0, moments={"web": MOMENTS}, served=SERVED, children_left=0)


def test_the_summary_line_has_its_fixed_shape():
    assert GOOD.as_json() == {
        "event": "summary",
        "seconds": 40.0,
        "types": {"web": {"peak": 4, "process_seconds": 100.0, "fixed_process_seconds": 160.0, "scale_outs": 1, "scale_ins": 1}},
        "jobs_done": 90,
        "job_wait_seconds": {"p50": 0.1, "p95": 1.5},
        "requests_answered": 400,
        "requests_failed": 0,
        "response_seconds": {"p50": 0.11, "p95": 0.3},
        "children_left": 0,
    }


def test_a_demo_that_keeps_its_promise_has_no_failures():
    assert GOOD.failures() == ()


@pytest.mark.parametrize(
    ("change", "failure"),
    [
        ({"children_left": 2}, "2 processes outlived the demo"),
        ({"faults": ("the load stopped: disk full",)}, "the load stopped: disk full"),
        ({"served": replace(SERVED, jobs_done=0)}, "no job was done"),
        ({"served": replace(SERVED, requests_failed=30)}, "30 web requests failed and 400 were answered"),
        ({"moments": {"web": MOMENTS[:2]}}, "web was never scaled in"),
        ({"moments": {"web": (Moment(100.0, 1, "scale_out"), Moment(110.0, 1, "scale_in"))}}, "web was never scaled out"),
    ],
)
def test_each_broken_promise_is_named(change, failure):
    assert replace(GOOD, **change).failures() == (failure,)


def test_a_single_failed_request_is_no_failure():
    assert replace(GOOD, served=replace(SERVED, requests_failed=1)).failures() == ()


def test_an_interrupted_demo_promises_only_to_leave_nothing():
    interrupted = replace(GOOD, interrupted=True, moments={}, served=replace(SERVED, jobs_done=0))
    assert interrupted.failures() == ()
    assert replace(interrupted, children_left=1).failures() == ("1 processes outlived the demo",)


def test_people_read_the_saving_and_that_nothing_is_left():
    text = "\n".join(GOOD.as_lines("#"))
    assert "web used           100 process-seconds; a fixed formation of its peak, 4, uses 160: 38 % saved" in text
    assert "nothing is left running" in text
    assert "requests answered  400 of 400, took p50 0.11 s, p95 0.30 s" in text


def test_people_read_what_failed():
    assert replace(GOOD, children_left=3).as_lines("#")[-1] == "failed: 3 processes outlived the demo"


def test_a_type_without_moments_costs_nothing():
    assert "web used           0 process-seconds" in "\n".join(replace(GOOD, moments={"web": ()}).as_lines("#"))
