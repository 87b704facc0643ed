"""A scenario becomes an experiment, as it is written or with another load."""

import numpy as np
import pytest

from autoscaler_simulations.engine.result import run
from autoscaler_simulations.load.rescale import busy_processes
from autoscaler_simulations.load.trace import JobList, RateCurve
from autoscaler_simulations.scenario.expectation import FIGURES, figure_of
from autoscaler_simulations.scenario.preparing import Changes, prepare

_JOBS = JobList(np.array([0.0, 5.0, 400.0]), np.array([2.0, 4.0, 6.0]), 1200.0)
_COUNTS = RateCurve(60.0, np.array([1.0, 3.0, 2.0]), are_counts=True)
_LOAD = "{poisson: {rate: 5}}"
_RECORDED = "{recorded: {file: load.csv}}"


@pytest.fixture
def counts(tmp_path):
    """Write 300 s of counts."""
    (tmp_path / "load.csv").write_text("timestamp_s,requests\n" + "".join(f"{60 * each},{30 * each}\n" for each in range(5)))


@pytest.fixture
def jobs(tmp_path):
    """Write three jobs."""
    (tmp_path / "load.csv").write_text("arrival_s,service_s\n0,2\n5,4\n7.5,6\n")


def _workload(scenario, **traces):
    experiment = prepare(scenario, Changes(traces=traces))
    return experiment, experiment.workloads["web"]


def test_parts_of_a_load_are_added_up(read):
    _, workload = _workload(read({_LOAD: f"{_LOAD}, {{step: {{rate: 0, to: 2, at: 5m}}}}"}))
    assert workload.trace.rates[[0, -1]].tolist() == pytest.approx([5.0, 7.0])


@pytest.mark.usefixtures("counts")
def test_simulation_is_as_long_as_its_recorded_load(read):
    experiment, workload = _workload(read({_LOAD: _RECORDED, "length: 10m\n": ""}))
    assert experiment.length_seconds == workload.trace.length_seconds == 300.0


@pytest.mark.usefixtures("counts")
def test_recorded_load_ends_with_the_simulation(read):
    _, workload = _workload(read({_LOAD: _RECORDED, "10m": "2m"}))
    assert workload.trace.length_seconds == 120.0


@pytest.mark.usefixtures("jobs")
def test_jobs_bring_their_own_work(read):
    _, workload = _workload(read({_LOAD: _RECORDED, "length: 10m\n": "", "    service: {exponential: {mean: 200ms}}\n": ""}))
    assert workload.service is None
    assert workload.trace.services.tolist() == [2.0, 4.0, 6.0]


@pytest.mark.parametrize("trace", [_COUNTS, _JOBS])
def test_trace_keeps_as_many_processes_busy_as_the_load_it_takes_the_place_of(read, trace):
    experiment, workload = _workload(read(), web=trace)
    seconds = workload.service.mean if workload.service else 0.0
    assert busy_processes(workload.trace, 1, seconds) == pytest.approx(5 * 0.2)
    assert experiment.length_seconds == trace.length_seconds


@pytest.mark.usefixtures("jobs")
def test_counts_in_the_place_of_jobs_take_as_long_as_these(read):
    _, workload = _workload(read({_LOAD: _RECORDED, "    service: {exponential: {mean: 200ms}}\n": ""}), web=_COUNTS)
    assert workload.service.mean == pytest.approx(4.0)


def test_load_of_another_type_lasts_as_long_as_the_trace(read):
    types = {
        "formation: {": "formation: {worker: {maximum: 1}, ",
        "processes:\n": "processes:\n  worker: {load: [{poisson: {rate: 1}}], service: {deterministic: {mean: 1s}}}\n",
    }
    experiment = prepare(read(types), Changes(traces={"web": _JOBS}))
    assert experiment.workloads["worker"].trace.length_seconds == 1200.0


def test_type_that_nothing_is_said_of_has_nothing_to_do(read):
    experiment = prepare(read({"formation: {": "formation: {worker: {maximum: 1}, "}), Changes())
    assert experiment.workloads["worker"].trace.rates.tolist() == [0.0]
    assert experiment.workloads["worker"].life.startup.mean == 5.0


def test_peak_scales_the_load(read):
    _, workload = _workload(read(added="    peak: 3\n"))
    assert workload.trace.rates.max() == pytest.approx(3 / 0.2)


@pytest.mark.parametrize(
    ("replaced", "added", "sentence"),
    [
        ({_LOAD: _RECORDED}, "", "load: {folder}/load.csv: there is no such file; correct the path"),
        ({"rate: 5": "rate: 0"}, "    peak: 3\n", "load: a load without a request cannot be scaled; use another one, or leave the scale out"),
        ({}, "    fano: 5\n    spread: even\n", "fano: has no effect on arrivals that are recorded or evenly spread; leave it out"),
        ({"poisson": "constant"}, "    fano: 5\n", "fano: has no effect on arrivals that are recorded or evenly spread; leave it out"),
    ],
)
def test_load_that_cannot_be_used_is_told_with_its_type(refusal, tmp_path, replaced, added, sentence):
    assert refusal(replaced, added) == [f"s.yaml: processes.web.{sentence.format(folder=tmp_path)}"]


@pytest.mark.usefixtures("counts")
def test_fano_of_recorded_counts_is_refused(refusal):
    (told,) = refusal({_LOAD: _RECORDED}, "    fano: 5\n")
    assert told == "s.yaml: processes.web.fano: has no effect on arrivals that are recorded or evenly spread; leave it out"


@pytest.mark.usefixtures("counts")
def test_counts_without_a_service_are_refused(refusal):
    (told,) = refusal({_LOAD: _RECORDED, "    service: {exponential: {mean: 200ms}}\n": ""})
    assert told.startswith("s.yaml: processes.web.service: missing; counts say nothing of the work of a request")


@pytest.mark.usefixtures("jobs")
def test_jobs_beside_another_load_are_refused(refusal):
    (told,) = refusal({_LOAD: f"{_RECORDED}, {_LOAD}"})
    assert told == "s.yaml: processes.web.load: a file of jobs cannot be added to another load; keep it alone"


def test_trace_cannot_take_the_place_of_nothing(refusal):
    (told,) = refusal({"rate: 5": "rate: 0"}, changes=Changes(traces={"web": _COUNTS}))
    assert told.startswith("s.yaml: processes.web.load: the load of the scenario has no request, so that there is no peak")


@pytest.mark.parametrize("nothing", [RateCurve(60.0, np.zeros(3), are_counts=True), JobList(np.empty(0), np.empty(0), 60.0)])
def test_a_trace_without_a_request_is_taken_as_it_is(read, nothing):
    experiment = prepare(read({}, "    fano: 5\n"), Changes(traces={"web": nothing}))

    assert experiment.workloads["web"].trace is nothing
    assert run(experiment, 1).score.types["web"].tally.arrived == 0


@pytest.mark.parametrize("fidelity", ["requests", "flow"])
def test_the_fidelity_that_is_asked_for_is_taken(read, fidelity):
    scenario = read({"length: 10m\n": "length: 10m\nfidelity: requests\n"})
    assert prepare(scenario, Changes(fidelity=fidelity)).fidelity == fidelity


def test_many_requests_are_computed_as_flows(read):
    assert prepare(read({"rate: 5": "rate: 6000"}), Changes()).fidelity == "flow"
    assert prepare(read(), Changes()).fidelity == "requests"


def test_services_of_more_than_an_eighth_of_a_tick_are_simulated_one_by_one_much_longer(read):
    brief, long = {"rate: 5": "rate: 6000"}, {"rate: 5": "rate: 6000", "mean: 200ms": "mean: 2s"}

    assert (prepare(read(brief), Changes()).fidelity, prepare(read(long), Changes()).fidelity) == ("flow", "requests")


@pytest.mark.usefixtures("jobs")
def test_jobs_are_simulated_one_by_one_whatever_is_asked_for(read):
    scenario = read({_LOAD: _RECORDED, "    service: {exponential: {mean: 200ms}}\n": ""}, "fidelity: flow\n")
    assert prepare(scenario, Changes(fidelity="flow")).fidelity == "requests"


def test_every_figure_that_can_be_expected_is_in_a_result(read):
    score = run(prepare(read(), Changes()), 1).score.types["web"].as_json()
    assert [figure for figure in FIGURES if figure_of(score, figure) is None] == []


def test_faults_reach_what_they_concern(read):
    faults = """\
faults:
  - metric_outage: {metric: rate, at: 1m, for: 1m}
  - late_metric: {metric: rate, at: 2m, for: 1m, delay: 30s}
  - backend_outage: {at: 3m, for: 1m}
  - failed_starts: {process_type: web, at: 4m, for: 1m, lives: 3s}
  - lost_host: {process_type: web, at: 5m, for: 1m}
  - slow_backend: {process_type: web, at: 6m, for: 1m, delay: 20s}
"""
    scenario = read(added=faults)
    life = prepare(scenario, Changes()).workloads["web"].life
    assert [fault.span.at_seconds for fault in (*scenario.metric_faults, *scenario.outages, *life.failing, *life.lost, *life.slow)] == [
        60,
        120,
        180,
        240,
        300,
        360,
    ]
    assert [scenario.faults_after(seconds) for seconds in (60, 200, 600)] == [6, 3, 0]
