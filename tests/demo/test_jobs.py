import sqlite3

import pytest

from autoscaler.demo.jobs import Jobs, create


@pytest.fixture
def path(tmp_path):
    create(tmp_path / "jobs.db")
    return tmp_path / "jobs.db"


@pytest.fixture
def jobs(path):
    with Jobs(path) as jobs:
        yield jobs


def test_an_empty_queue_has_nothing_to_claim(jobs):
    assert jobs.claim("worker.1", now=1.0) is None


def test_the_oldest_job_is_claimed_first(jobs):
    jobs.enqueue(now=1.0)
    jobs.enqueue(now=2.0)
    assert [jobs.claim("worker.1", now=3.0), jobs.claim("worker.2", now=3.0), jobs.claim("worker.3", now=3.0)] == [1, 2, None]


def test_a_wait_is_from_enqueue_to_start(jobs):
    jobs.enqueue(now=1.0)
    jobs.finish(jobs.claim("worker.1", now=3.5), "worker.1", now=4.0)
    assert jobs.waits() == [2.5]


def test_jobs_that_are_not_done_have_no_wait_yet(jobs):
    jobs.enqueue(now=1.0)
    jobs.claim("worker.1", now=3.5)
    assert jobs.waits() == []


def test_a_killed_workers_job_waits_again(jobs):
    jobs.enqueue(now=1.0)
    jobs.claim("worker.1", now=2.0)
    jobs.give_back("worker.2")
    assert jobs.claim("worker.2", now=3.0) is None
    jobs.give_back("worker.1")
    assert jobs.claim("worker.2", now=3.0) == 1


def test_a_job_that_runs_far_too_long_waits_again(jobs):
    jobs.enqueue(now=1.0)
    jobs.claim("worker.1", now=2.0)
    jobs.give_back_overdue(started_before=2.0)
    assert jobs.claim("worker.2", now=3.0) is None
    jobs.give_back_overdue(started_before=2.5)
    assert jobs.claim("worker.2", now=3.0) == 1


def test_a_job_taken_by_another_is_not_finished_twice(jobs):
    jobs.enqueue(now=1.0)
    job = jobs.claim("worker.1", now=2.0)
    jobs.give_back("worker.1")
    jobs.claim("worker.2", now=3.0)
    jobs.finish(job, "worker.1", now=4.0)
    assert jobs.waits() == []


def test_a_queue_that_was_never_made_is_not_made_by_opening(tmp_path):
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        Jobs(tmp_path / "jobs.db")
    assert not list(tmp_path.iterdir())
