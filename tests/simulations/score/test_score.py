"""The score of a run: everything in plain JSON, and what matters in lines for people."""

import dataclasses
import json

import numpy as np
import pytest

from autoscaler_simulations.plant.queue import Tally
from autoscaler_simulations.score.elasticity import elasticity_of
from autoscaler_simulations.score.objective import Objective
from autoscaler_simulations.score.oracle import Bounds
from autoscaler_simulations.score.outcomes import Outcomes
from autoscaler_simulations.score.score import Score, Use, score_of

ELASTICITY = elasticity_of(np.array([2, 3, 4, 4, 3, 2, 2, 5, 5, 1]), np.array([2, 2, 4, 5, 4, 3, 2, 3, 5, 4]), 60.0)
USE = Use(process_hours=6.0, starts=5, stops=3, crashes=4, jobs_killed=1, scale_outs=2, scale_ins=1, elasticity=ELASTICITY)
BOUNDS = Bounds(4.0, 5.0)
TALLY = Tally(at=7200.0, arrived=400.0, started=393.0, completed=390.0, lost=1.0, waiting=7.0, busy=2.0)


def score(use=USE, bounds=BOUNDS, requests=400):
    outcomes = Outcomes(Objective("wait", 5.0), 7200.0)
    arrivals = np.linspace(0, 7199, requests)
    outcomes.add(arrivals, np.where(np.arange(requests) % 20 == 0, 9.0, 0.0), np.full(requests, 0.5))
    return score_of(outcomes, TALLY, use, bounds, np.random.default_rng(1))


def test_the_json_is_plain_and_says_its_units():
    told = json.loads(json.dumps(score().as_json(), allow_nan=False))

    assert told["over_objective"] == {"number": 20, "share": 0.05}
    assert (told["wait_seconds"]["p50"], told["wait_seconds"]["maximum"], told["response_seconds"]["maximum"]) == (0, 9, 9.5)
    assert set(told["wait_seconds"]) == {"mean", "p50", "p95", "p99", "p99_9", "maximum"}
    assert [told[key] for key in ("requests", "completed", "waiting", "busy", "dropped", "lost")] == [400, 390, 7, 2, 0, 1]
    assert told["longest_bad_stretch_seconds"] == 60
    assert (told["process_hours"], told["starts"], told["stops"], told["crashes"], told["jobs_killed"], told["scale_outs"], told["scale_ins"]) == (
        6,
        5,
        3,
        4,
        1,
        2,
        1,
    )
    assert told["objective"] == {"measure": "wait", "seconds": 5, "share": 0.99}


def test_the_cost_is_told_beside_both_oracles():
    oracle = score().as_json()["oracle"]

    assert oracle == {"demand_process_hours": 4.0, "optimal_process_hours": 5.0, "note": None, "to_demand": 1.5, "to_optimal": 1.2}


def test_sigma_is_never_told_without_its_power():
    told = score().as_json()["elasticity"]

    assert told["deviation"] == {"power": 5, "value": pytest.approx(52.33359144022183)}
    assert told["demand_of_zero_divides_as"] == 1


def test_the_share_over_comes_with_its_confidence():
    confidence = score().as_json()["confidence"]

    assert confidence["level"] == 0.95
    assert confidence["over_objective_share"]["low"] <= 0.05 <= confidence["over_objective_share"]["high"]


def test_nothing_demanded_has_no_ratio_and_no_request_no_share():
    empty = score(bounds=Bounds(0.0, 0.0), requests=0)
    told = json.loads(json.dumps(empty.as_json(), allow_nan=False))

    assert (told["oracle"]["to_demand"], told["over_objective"]["share"], told["confidence"]["over_objective_share"]) == (None, None, None)
    assert told["wait_seconds"]["p99"] is None
    assert "no request was judged by it" in empty.as_lines()[0]


def test_one_interval_is_told_without_instability():
    one = dataclasses.replace(USE, elasticity=elasticity_of(np.array([1]), np.array([1]), 60.0))

    assert score(one).as_json()["elasticity"]["deviation"]["value"] is None


def test_people_read_the_objective_first_and_the_note_last():
    lines = score(bounds=Bounds(4.0, 5.0, "a sentence")).as_lines()

    assert lines[0].startswith("objective          99 % wait at most 5 s; 20 of 400 did not, 5.000% (95% confidence ")
    assert lines[1].endswith("s in a row in which more than 1 % of them did not")
    assert "processes          5 started, 3 stopped, 4 ended unasked, 1 jobs killed" in lines
    assert "clairvoyant        5.00 process-hours; this run paid 1.20 times that" in lines
    assert lines[-1] == "note               a sentence"


def test_a_run_that_let_requests_wait_may_pay_less_than_a_clairvoyant():
    lines = score(bounds=Bounds(4.0, 8.0)).as_lines()

    assert "clairvoyant        8.00 process-hours; this run paid 0.75 times that, since some waited longer than they had to" in lines


def test_the_confidence_of_a_share_is_a_share():
    outcomes = Outcomes(Objective("wait", 5.0), 7200.0)
    outcomes.add_share(100.0, 50.0, 10.0)
    outcomes.add_share(4000.0, 50.0, -2.0)  # a flow took back more than it had told of this hour
    told = score_of(outcomes, TALLY, USE, BOUNDS, np.random.default_rng(1)).share_over

    assert told is not None
    assert (told.low, told.high) == (0.0, 0.2)


def test_a_formation_adds_up_what_its_types_cost():
    whole = Score(7200.0, {"web": score(), "worker": score()})

    assert (whole.as_json()["process_hours"], list(whole.as_json()["types"])) == (12.0, ["web", "worker"])
    assert [line for line in whole.as_lines() if line.endswith(": 7200 s")] == ["web: 7200 s", "worker: 7200 s"]
