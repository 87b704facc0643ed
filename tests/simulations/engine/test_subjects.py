from dataclasses import replace

import numpy as np
import pytest

from autoscaler_simulations.engine.subjects import make_subjects
from autoscaler_simulations.load.trace import JobList
from autoscaler_simulations.plant.flow import FlowQueue
from autoscaler_simulations.plant.requests import RequestQueue

JOBS = JobList(np.array([1.0, 2.0]), np.array([3.0, 4.0]), 600.0)


@pytest.mark.parametrize(("running", "found"), [(None, 1), (4, 4), (0, 0)])
def test_as_many_processes_as_said_are_ready_at_the_beginning_or_else_the_minimum(make_experiment, make_workload, running, found):
    subjects = make_subjects(make_experiment(workloads={"web": make_workload(running=running)}), 1)
    assert subjects["web"].plant.observe().counts.running == found


@pytest.mark.parametrize(("fidelity", "kind"), [("requests", RequestQueue), ("flow", FlowQueue)])
def test_the_fidelity_chooses_the_queue(make_experiment, fidelity, kind):
    assert isinstance(make_subjects(make_experiment(fidelity=fidelity), 1)["web"].plant.queue, kind)


def test_single_jobs_are_never_a_flow(make_experiment, make_workload):
    workloads = {"web": replace(make_workload(), trace=JOBS, service=None)}
    subjects = make_subjects(make_experiment(workloads=workloads, fidelity="flow"), 1)
    assert isinstance(subjects["web"].plant.queue, RequestQueue)


def test_jobs_with_a_service_of_their_own_make_a_demand(make_experiment, make_workload):
    workloads = {"web": replace(make_workload(), trace=JOBS, service=None)}
    assert make_subjects(make_experiment(workloads=workloads), 1)["web"].demand.processes.max() == 1


def test_jobs_may_be_given_another_service(make_experiment, make_workload):
    workloads = {"web": replace(make_workload(), trace=JOBS)}
    subject = make_subjects(make_experiment(workloads=workloads), 1)["web"]
    subject.plant.advance(600)
    assert subject.plant.queue.tally().completed == 2
    assert subject.plant.queue.tally().busy_seconds != 7


@pytest.mark.parametrize("fidelity", ["requests", "flow"])
def test_an_even_load_is_no_matter_of_chance(make_experiment, make_workload, fidelity):
    experiment = make_experiment(workloads={"web": make_workload([2.0, 4.0], each_seconds=300.0, spread="even")}, fidelity=fidelity)
    plant = make_subjects(experiment, 1)["web"].plant
    plant.advance(600)
    assert plant.queue.tally().arrived == 1800


@pytest.mark.parametrize("fidelity", ["requests", "flow"])
def test_a_bursty_load_varies_by_its_fano_factor(make_experiment, make_workload, fidelity):
    experiment = make_experiment(workloads={"web": make_workload([8.0] * 60, each_seconds=10.0, fano=25.0)}, fidelity=fidelity)
    arrived = []
    for seed in range(60):
        plant = make_subjects(experiment, seed)["web"].plant
        plant.advance(600)
        arrived.append(plant.queue.tally().arrived)
    assert 10 < np.var(arrived) / np.mean(arrived) < 50


def test_rates_without_a_service_are_refused(make_experiment, make_workload):
    workloads = {"web": replace(make_workload(), service=None)}
    with pytest.raises(ValueError, match="give a service distribution"):
        make_subjects(make_experiment(workloads=workloads), 1)
