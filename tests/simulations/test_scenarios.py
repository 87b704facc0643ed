"""Every scenario comes out as its file says, and runs on real load."""

import pytest

from autoscaler_simulations.engine.result import Run, run
from autoscaler_simulations.load.curves import cut
from autoscaler_simulations.load.trace_csv import read_trace
from autoscaler_simulations.scenario.named import find_scenario, scenario_names
from autoscaler_simulations.scenario.preparing import Changes, prepare
from autoscaler_simulations.scenario.reading import read_scenario

_NAMES = scenario_names()
_TRACES = ("nasa_http_jul95", "twitter_stream_1s_4h", "jobs_azure_llm2023_code", "jobs_lcg_grid_5days")
_SECONDS = 3000.0  # of each trace


def _scenario(name):
    return read_scenario(find_scenario(name), {})


@pytest.mark.parametrize("name", _NAMES)
def test_scenario_comes_out_as_it_expects(name):
    scenario = _scenario(name)
    score = run(prepare(scenario, Changes()), scenario.seed).score
    judged = [expectation.judge(score.types[expectation.process_type].as_json()) for expectation in scenario.expectations]
    assert [sentence for sentence in judged if sentence] == []


@pytest.mark.parametrize("name", _NAMES)
def test_scenario_says_what_it_shows(name):
    scenario = _scenario(name)
    assert scenario.about.endswith(".")
    assert len(scenario.about) <= 150
    assert {each.process_type for each in scenario.expectations} == scenario.processes.keys()
    assert len(scenario.expectations) >= 3
    assert scenario.settings.warnings == ()


@pytest.mark.shared
@pytest.mark.parametrize("trace", _TRACES)
@pytest.mark.parametrize("name", _NAMES)
def test_scenario_runs_on_real_load(shared, name, trace):
    scenario = _scenario(name)
    process_type = next(iter(scenario.processes))
    load = cut(read_trace(shared / "traces" / f"{trace}.csv"), _SECONDS)
    experiment = prepare(scenario, Changes(traces={process_type: load}, fidelity="flow"))
    going = Run(experiment, seed=1)
    # A queue that lost count of a request raises at the end of the run.
    assert all(0 <= reached <= _SECONDS for reached in going.go())
    tally = going.result().score.types[process_type].tally
    assert tally.arrived == pytest.approx(tally.completed + tally.waiting + tally.busy + tally.dropped + tally.lost)
    assert tally.arrived > 0
