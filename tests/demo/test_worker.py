import os
import signal
import subprocess
import sys
import time

import pytest

from autoscaler.demo.jobs import Jobs, create


@pytest.fixture
def path(tmp_path):
    create(tmp_path / "jobs.db")
    return tmp_path / "jobs.db"


@pytest.fixture
def start_worker(path):
    started = []

    def start():
        started.append(subprocess.Popen([sys.executable, "-m", "autoscaler.demo.worker", str(path)], env={**os.environ, "PS": "worker.1"}))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def jobs(path):
    with Jobs(path) as jobs:
        yield jobs


def await_state(jobs, state, count=1):
    deadline = time.monotonic() + 30
    while jobs._connection.execute("select count(*) from jobs where state = ?", (state,)).fetchone()[0] != count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_worker_works_off_the_queue(start_worker, jobs):
    for _ in range(2):
        jobs.enqueue(time.monotonic())
    start_worker()
    await_state(jobs, "done", count=2)
    assert all(wait >= 0 for wait in jobs.waits())


def test_a_worker_told_to_stop_finishes_its_job(start_worker, jobs):
    jobs.enqueue(time.monotonic())
    worker = start_worker()
    await_state(jobs, "running")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    await_state(jobs, "done")


def test_an_idle_worker_told_to_stop_ends(start_worker, jobs):
    jobs.enqueue(time.monotonic())
    worker = start_worker()
    await_state(jobs, "done")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0


def test_a_restarted_worker_takes_up_the_job_of_the_killed_one(start_worker, jobs):
    jobs.enqueue(time.monotonic())
    worker = start_worker()
    await_state(jobs, "running")
    worker.kill()
    worker.wait()
    start_worker()
    await_state(jobs, "done")
