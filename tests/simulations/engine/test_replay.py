"""The record of a simulation, decided again."""

from functools import partial

import pytest

from autoscaler.record import RecordWriter
from autoscaler_simulations.durations import Deterministic, Exponential
from autoscaler_simulations.engine.experiment import BackendOutage
from autoscaler_simulations.engine.measures import LateMetric, Measure, MetricOutage
from autoscaler_simulations.engine.result import Run
from autoscaler_simulations.plant.life import FailingStarts, Life, LostHost, SlowStarts, Span
from autoscaler_simulations.replay.again import Replay
from autoscaler_simulations.replay.configuration import load_recorded

CONFIGURATION = """\
interval: 5s
listen: null
total: 14
preempt: true
backends: {here: {dry_run: {}}, there: {dry_run: {}}}
metrics:
  rate: {file: {path: rate}, every: 3s, window: 30s}
  called: {file: {path: called}}
  jobs: {file: {path: jobs}, every: 2s}
  busy: {file: {path: busy}}
defaults:
  scale_in: {stabilization: 30s, cooldown: 20s, at_most: [50% per 60s]}
formation:
  web: {backend: here, minimum: 1, maximum: 9, priority: 2, slots: 2, policies: [{target: {metric: rate, per_process: 6}}]}
  worker:
    backend: there
    maximum: 10
    futility: stop
    policies: [{backlog: {waiting: jobs, busy: busy, job_takes: 400ms}}]
  site: {backend: here, socket: shared, listen: '127.0.0.1:8000', minimum: 0, maximum: 3, policies: [{target: {metric: called, per_process: 5}}]}
  quiet: {backend: here, minimum: 1, maximum: 4, pause_scale_in: quiet, policies: [{target: {metric: jobs, per_process: 3}}]}
  clock: {backend: there, singleton: true, minimum: 1, maximum: 1}
"""
MEASURES = {
    "rate": Measure(kind="arrival_rate", process_type="web", window_seconds=30),
    "called": Measure(kind="arrival_rate", process_type="site"),
    "jobs": Measure(kind="waiting", process_type="worker", each_process=False),
    "busy": Measure(kind="busy", process_type="worker", each_process=True),
}


def span(at, ends):
    return Span(at_seconds=at, for_seconds=ends - at)


@pytest.fixture
def rough(make_experiment, make_workload):
    """Make an experiment in which everything happens that a record tells of."""
    starting = Exponential(mean_seconds=4)
    web = Life(startup=starting, lost=(LostHost(span=span(500, 700), share=0.5),), slow=(SlowStarts(span=span(900, 1000), delay_seconds=20),))
    worker = Life(startup=starting, failing=(FailingStarts(span=span(200, 400)),), lifetime=Exponential(mean_seconds=300))
    workloads = {
        "web": make_workload([8, 28, 8, 40, 8], each_seconds=300, life=web),
        "worker": make_workload([2, 30, 2, 20, 2], each_seconds=300, life=worker),
        "site": make_workload([0, 0.2, 0, 6, 0], each_seconds=300, running=0, life=Life(startup=Deterministic(mean_seconds=1))),
        "quiet": make_workload(0.1),
        "clock": make_workload(0.0),
    }
    faults = (MetricOutage(metric="jobs", span=span(600, 660)), LateMetric(metric="rate", span=span(800, 900), delay_seconds=20))
    outages = (BackendOutage(backend="there", span=span(1000, 1060)), BackendOutage(backend="here", span=span(1040, 1070)))
    return make_experiment(CONFIGURATION, workloads, measures=MEASURES, metric_faults=faults, outages=outages, length_seconds=1500.0)


def test_the_record_of_a_simulation_is_decided_again_to_the_byte(rough, tmp_path):
    path = tmp_path / "record"
    writer = RecordWriter(str(path))
    going = Run(rough, 5, [writer])
    for _ in going.go():
        pass
    writer.close()
    text = path.read_text()
    for event in ("startup", "crash_loop", "called", "pause"):
        assert f'"event": "{event}"' in text
    replay = Replay(partial(load_recorded, name="record", environment={}), None)
    comparisons = list(replay.run(text.splitlines(keepends=True)))
    assert len(comparisons) > 1300
    assert [comparison for comparison in comparisons if not comparison.is_same_line] == []
