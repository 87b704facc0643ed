import gc
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from autoscaler_simulations.durations import Deterministic
from autoscaler_simulations.engine.experiment import BackendOutage
from autoscaler_simulations.engine.measures import LateMetric, Measure, MetricOutage
from autoscaler_simulations.engine.result import Run, run
from autoscaler_simulations.plant.conservation import ConservationError
from autoscaler_simulations.plant.life import FailingStarts, Life, LostHost, SlowStarts, Span
from autoscaler_simulations.plant.requests import RequestQueue

SLEEPER = """\
interval: 10s
listen: null
backend: {dry_run: {}}
metrics:
  rate: {file: {path: rate}, every: 10s}
formation:
  web:
    socket: shared
    listen: 127.0.0.1:8000
    minimum: 0
    maximum: 4
    scale_in: {stabilization: 30s}
    policies: [{target: {metric: rate, per_process: 5}}]
"""
TWO = """\
interval: 5s
listen: null
total: 6
backends: {here: {dry_run: {}}, there: {dry_run: {}}}
metrics:
  rate: {file: {path: rate}, every: 5s}
  jobs: {file: {path: jobs}, every: 2s}
formation:
  web: {backend: here, minimum: 1, maximum: 9, priority: 1, slots: 2, startup: 5s, policies: [{target: {metric: rate, per_process: 5}}]}
  worker: {backend: there, minimum: 1, maximum: 9, startup: 5s, policies: [{target: {metric: jobs, per_process: 5}}]}
"""
TWO_MEASURES = {"rate": Measure(kind="arrival_rate", process_type="web"), "jobs": Measure(kind="in_flight", process_type="worker")}


def span(at, ends):
    return Span(at_seconds=at, for_seconds=ends - at)


def listen(experiment, listening, seed=1):
    """Run to the end; return the subjects."""
    going = Run(experiment, seed, [listening])
    for _ in going.go():
        pass
    return going


# When


def test_ticks_come_at_once_and_then_a_quarter_of_a_second_after_the_polls(make_experiment, listening):
    listen(make_experiment(length_seconds=16.0), listening)
    assert listening.moments() == [0, 5.25, 10.25, 15.25]
    assert [reading.at for tick in listening.ticks for entry in tick.board.values() if (reading := entry.reading)] == [5, 10, 15][
        : len(listening.ticks)
    ]


def test_the_first_tick_finds_nothing_read(make_experiment, listening):
    listen(make_experiment(length_seconds=16.0), listening)
    assert [tick.board["rate"].cause for tick in listening.ticks] == ["not read yet", None, None, None]
    assert [tick.is_complete for tick in listening.ticks] == [False, True, True, True]


def test_short_intervals_have_a_shorter_lead(make_experiment, listening):
    configuration = make_experiment().settings
    listen(make_experiment(settings=replace(configuration, interval_seconds=0.4), length_seconds=1.0), listening)
    assert listening.moments() == [0, 0.5, 0.9]


def test_times_stay_whole_microseconds_far_from_the_start(make_experiment, make_workload, listening):
    workloads = {"web": make_workload(0.0)}
    listen(make_experiment(workloads=workloads, length_seconds=20_000.0), listening)
    assert listening.moments()[1:] == [5.25 + 5 * number for number in range(len(listening.ticks) - 1)]
    assert all(tick.at == 1.7e9 + tick.now for tick in listening.ticks)


def test_every_tick_is_told_while_it_runs(make_experiment):
    assert list(Run(make_experiment(length_seconds=12.0), 1).go()) == [0, 5.25, 10.25]


# What


def test_the_formation_follows_the_load(make_experiment, make_workload, listening):
    workloads = {"web": make_workload([8, 28, 28, 8, 8, 8], each_seconds=300, spread="even")}
    going = listen(make_experiment(workloads=workloads, length_seconds=1800.0), listening)
    sizes = dict(zip(listening.moments(), listening.sizes(), strict=True))
    assert [sizes[at] for at in (0, 100.25, 400.25, 800.25, 1790.25)] == [1, 2, 6, 6, 2]
    assert going.result().score.types["web"].use.scale_outs == 2


def test_a_metric_outage_holds_the_formation(make_experiment, make_workload, listening):
    fault = MetricOutage(metric="rate", span=span(200, 400))
    workloads = {"web": make_workload([18, 2], each_seconds=200, spread="even")}
    listen(make_experiment(workloads=workloads, metric_faults=(fault,)), listening)
    assert {tick.formations["web"].counts.desired for tick in listening.ticks if 100 < tick.now < 400} == {4}
    assert "away" in next(tick for tick in listening.ticks if tick.now > 300).board["rate"].cause


def test_an_outage_of_one_metric_is_none_of_another(make_experiment, listening):
    fault = MetricOutage(metric="jobs", span=span(0, 600))
    listen(make_experiment(TWO, measures=TWO_MEASURES, metric_faults=(fault,)), listening)
    board = listening.ticks[-1].board
    assert (board["rate"].cause, board["jobs"].cause) == (None, "no answer: the metric is away in this simulation")


def test_a_late_metric_is_acted_on_late(make_experiment, make_workload, listening):
    fault = LateMetric(metric="rate", span=span(0, 600), delay_seconds=10)
    workloads = {"web": make_workload([3, 23], each_seconds=300, spread="even")}
    listen(make_experiment(workloads=workloads, metric_faults=(fault,)), listening)
    first = next(tick.now for tick in listening.ticks if tick.formations["web"].counts.desired > 1)
    assert first == 320.25  # polled at 315, of second 305 back to 300, acted on at 315.25, seen at the next tick


def test_a_backend_that_is_away_is_neither_seen_nor_changed(make_experiment, make_workload, listening):
    outage = BackendOutage(backend="there", span=span(100, 200))
    workloads = {"worker": make_workload([0, 30], each_seconds=100)}
    experiment = make_experiment(TWO, workloads, measures=TWO_MEASURES, outages=(outage,), length_seconds=300.0)
    listen(experiment, listening)
    away = [tick for tick in listening.ticks if 100 <= tick.now < 200]
    assert len(away) == 20
    assert all(set(tick.formations) == {"web"} and tick.errors == {"worker": ANSWER} and not tick.is_complete for tick in away)
    assert next(tick for tick in listening.ticks if tick.now > 200).formations["worker"].counts.desired == 1
    assert max(listening.sizes("web")) > 1


ANSWER = "not observed: backend there is away in this simulation"


def test_a_slow_backend_delays_what_was_decided(make_experiment, make_workload, listening):
    life = Life(startup=Deterministic(mean_seconds=5), slow=(SlowStarts(span=span(0, 600), delay_seconds=60),))
    listen(make_experiment(workloads={"web": make_workload(18.0, life=life, spread="even")}), listening)
    told = next(tick.now for tick in listening.ticks if tick.formations["web"].counts.desired == 4)
    ready = next(tick.now for tick in listening.ticks if tick.formations["web"].counts.running == 4)
    assert ready - told == 60  # told one tick before it is seen


def test_failed_starts_end_in_a_crash_loop_that_is_not_scaled_out(make_experiment, make_workload, listening):
    life = Life(startup=Deterministic(mean_seconds=5), failing=(FailingStarts(span=span(0, 300)),))
    listen(make_experiment(workloads={"web": make_workload(18.0, life=life)}), listening)
    looping = [tick for tick in listening.ticks if tick.formations["web"].is_crash_looping]
    assert len(looping) > 20
    assert {tick.decisions[0].action for tick in looping} == {"none", "hold"}
    assert listening.ticks[-1].formations["web"].counts.running >= 4


def test_a_lost_host_is_no_capacity(make_experiment, make_workload, listening):
    life = Life(startup=Deterministic(mean_seconds=5), lost=(LostHost(span=span(100, 200), share=0.5),))
    listen(make_experiment(workloads={"web": make_workload(18.0, life=life, running=4, spread="even")}), listening)
    unknown = {tick.now: tick.formations["web"].counts.unknown for tick in listening.ticks}
    assert {count for at, count in unknown.items() if 100 < at < 200} == {2}
    assert {count for at, count in unknown.items() if not 100 < at < 200} == {0}


def test_the_formation_cap_is_shared_by_all_types(make_experiment, make_workload, listening):
    workloads = {"web": make_workload(23.0), "worker": make_workload(60.0)}
    listen(make_experiment(TWO, workloads, measures=TWO_MEASURES), listening)
    totals = [sum(formation.counts.desired for formation in tick.formations.values()) for tick in listening.ticks]
    assert max(totals) == 6
    assert listening.sizes("web")[-1] == 5


def test_the_pauses_of_the_configuration_are_told_before_the_first_tick(make_experiment, listening):
    experiment = make_experiment(TWO.replace("worker: {", "worker: {pause_scale_in: quiet, "), measures=TWO_MEASURES, length_seconds=20.0)
    listen(experiment, listening)
    assert [notice.event for notice in listening.notices[:2]] == ["start", "pause"]
    assert listening.notices[1].details == {"process_type": "worker", "scale_out": False, "scale_in": True, "reason": "quiet"}
    assert all(set(tick.pauses) == {"worker"} for tick in listening.ticks)


# From zero


def test_a_connection_wakes_a_sleeping_type_at_once(make_experiment, make_workload, listening):
    workloads = {"web": make_workload([0, 1 / 100], each_seconds=101, spread="even", running=0)}
    going = listen(make_experiment(SLEEPER, workloads, length_seconds=200.0), listening)
    woken = next(tick for tick in listening.ticks if tick.formations["web"].is_called)
    arrival = next(notice.now for notice in listening.notices if notice.event == "called")
    assert woken.now == arrival
    assert woken.now % 10 != 0.25
    assert woken.decisions[0].action == "scale_out"
    waits = going.result().score.types["web"].waits.wait
    assert waits.maximum <= 5 + 0.2 + 1e-6


def test_a_sleeping_type_is_not_ticked_without_a_call(make_experiment, make_workload, listening):
    workloads = {"web": make_workload(0.0, running=0)}
    listen(make_experiment(SLEEPER, workloads, length_seconds=101.0), listening)
    assert listening.moments() == [0, *[10.25 + 10 * number for number in range(10)]]


def test_a_connection_at_a_paused_type_rings_ever_more_rarely(make_experiment, make_workload, listening):
    paused = SLEEPER.replace("maximum: 4", "maximum: 4\n    pause: closed")
    workloads = {"web": make_workload(1.0, spread="even", running=0)}
    listen(make_experiment(paused, workloads, length_seconds=60.0), listening)
    between = [at for at in listening.moments() if at and at % 10 != 0.25]
    assert np.diff(between).round().tolist() == [1, 2, 4, 8, 16]


# Chances


@pytest.mark.parametrize("fidelity", ["requests", "flow"])
def test_the_same_seed_gives_the_same_result(make_experiment, make_workload, fidelity):
    experiment = make_experiment(workloads={"web": make_workload([8, 28, 8], each_seconds=200)}, fidelity=fidelity)
    assert run(experiment, 3).as_json() == run(experiment, 3).as_json()
    assert run(experiment, 3).as_json() != run(experiment, 4).as_json()


@pytest.mark.parametrize("fidelity", ["requests", "flow"])
def test_another_type_does_not_change_the_chances_of_a_type(make_experiment, make_workload, fidelity):
    both = make_experiment(
        TWO.replace("total: 6\n", ""), {"web": make_workload([8, 28, 8], each_seconds=200)}, measures=TWO_MEASURES, fidelity=fidelity
    )
    web = next(one for one in both.settings.types if one.name == "web")
    metrics = tuple(metric for metric in both.settings.metrics if metric.name == "rate")
    alone = replace(both, settings=replace(both.settings, types=(web,), metrics=metrics))
    assert run(both, 3).score.types["web"] == run(alone, 3).score.types["web"]


# Laws


class Forgetful(RequestQueue):
    """Loses sight of a request that waits."""

    def tally(self):
        tally = super().tally()
        return replace(tally, waiting=tally.waiting + (tally.at > 100))


def test_a_queue_that_loses_count_is_not_believed(make_experiment, monkeypatch):
    monkeypatch.setattr("autoscaler_simulations.engine.subjects.RequestQueue", Forgetful)
    with pytest.raises(ConservationError, match="lost count"):
        run(make_experiment(), 1)


def test_memory_does_not_grow_with_time(make_experiment, make_workload):
    life = Life(startup=Deterministic(mean_seconds=2), lifetime=Deterministic(mean_seconds=50))
    workloads = {"web": make_workload([3, 13, 3, 23], each_seconds=100, life=life)}
    going = Run(make_experiment(workloads=workloads, length_seconds=3000.0), 1)
    tracemalloc.start()
    sizes = {}
    for at in going.go():
        if at in {1000.25, 2995.25}:
            gc.collect()
            sizes[at] = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert sizes[2995.25] - sizes[1000.25] < 200_000
