import json

import pytest

from autoscaler_simulations.engine.result import run
from autoscaler_simulations.engine.together import together


@pytest.fixture
def static(make_experiment, make_workload):
    """Make an experiment in which nothing is scaled."""
    configuration = "interval: 5s\nlisten: null\nbackend: {dry_run: {}}\nformation: {web: {minimum: 2, maximum: 2}}\n"
    return make_experiment(configuration, {"web": make_workload([3, 6], each_seconds=300)})


def test_a_static_formation_costs_its_size_times_the_length(static):
    use = run(static, 1).score.types["web"].use
    assert use.process_hours == pytest.approx(2 * 600 / 3600)
    assert (use.starts, use.stops, use.scale_outs, use.scale_ins, use.jobs_killed) == (0, 0, 0, 0, 0)


def test_every_request_is_scored(static):
    result = run(static, 1)
    assert 2400 < result.score.types["web"].waits.number < 3000


def test_a_result_is_plain_values(static):
    line = json.loads(json.dumps(run(static, 7).as_json(), allow_nan=False))
    assert {key: line[key] for key in ("event", "scenario", "seed", "fidelity", "ticks")} == {
        "event": "result",
        "scenario": "test",
        "seed": 7,
        "fidelity": "requests",
        "ticks": 120,
    }


def test_several_runs_say_how_far_their_means_can_be_trusted(static):
    results = [run(static, seed) for seed in (1, 2, 3)]
    figures = together(results).types["web"]
    assert figures["process_hours"].mean == pytest.approx(1 / 3)
    share = figures["over_objective_share"]
    assert share.low <= sum(result.score.types["web"].waits.share for result in results) / 3 <= share.high
    assert together(results).as_json()["seeds"] == [1, 2, 3]
    assert together(results).as_lines()[0] == "over the seeds 1 to 3, means with their 95 % confidence"
