"""What every backend promises: absolute counts, prompt answers, nothing left behind."""

from __future__ import annotations

import threading
import time
from threading import Event

import pytest

from autoscaler.act.backend import Backend
from autoscaler.act.dry_run import DryRun
from autoscaler.act.systemd import Systemd
from autoscaler.model import Change, Counts, Formation
from tests.local_formation import count_descriptors, process_type
from tests.systemd_formation import SLEEPER, use

_OWN = ("local", "dry_run", pytest.param("systemd", marks=pytest.mark.server))
_ELSEWHERE = ("kubernetes", "nomad", "heroku", "http", *(pytest.param(name, marks=pytest.mark.server) for name in ("swarm", "command")))

TYPES = (process_type("web"), process_type("job"))


@pytest.fixture
def connect_local(stage):
    return lambda: stage.connect(*TYPES)


@pytest.fixture
def connect_dry_run():
    return lambda: DryRun().connect(TYPES, None)


@pytest.fixture
def connect_systemd(user_manager, monkeypatch):
    use(user_manager, monkeypatch)
    for each in TYPES:
        user_manager.write(f"app-{each.name}@.service", SLEEPER)
    return lambda: Systemd(user=True).connect(TYPES, None)


@pytest.fixture(params=[*_OWN, *_ELSEWHERE])
def connect(request):
    """Return how to connect one backend for a web and a job type."""
    return request.getfixturevalue(f"connect_{request.param}")


@pytest.fixture
def backend(connect):
    made = connect()
    yield made
    made.close(Event())


def scale(backend: Backend, **targets: int) -> list[str | None]:
    return [outcome.error for outcome in backend.scale(tuple(Change(name, 0, target, "") for name, target in targets.items()))]


def counts(backend: Backend, name: str = "web") -> Counts:
    return backend.observe().types[name].counts


def test_every_type_is_observed_from_the_start(backend):
    formation = backend.observe()
    assert isinstance(formation, Formation)
    assert {name: seen.counts for name, seen in formation.types.items()} == {"web": Counts(desired=0), "job": Counts(desired=0)}


def test_desired_is_what_was_said_last(backend):
    for target in (2, 3, 1):
        assert scale(backend, web=target) == [None]
        assert counts(backend).desired == target


def test_processes_come_and_go(backend, eventually):
    scale(backend, web=3)
    eventually(lambda: counts(backend) == Counts(desired=3, running=3))
    scale(backend, web=1)
    eventually(lambda: counts(backend) == Counts(desired=1, running=1))


def test_counts_are_absolute_and_repeating_changes_nothing(backend, eventually):
    for _ in range(3):
        scale(backend, web=2)
    eventually(lambda: counts(backend).running == 2)
    names = {process.name for process in backend.observe().types["web"].processes}
    scale(backend, web=2)
    assert {process.name for process in backend.observe().types["web"].processes} == names
    assert len(names) == 2


def test_several_types_are_scaled_at_once(backend, eventually):
    assert scale(backend, web=1, job=2) == [None, None]
    eventually(lambda: (counts(backend).running, counts(backend, "job").running) == (1, 2))


def test_scaling_to_zero_leaves_none(backend, eventually):
    scale(backend, web=2)
    eventually(lambda: counts(backend).running == 2)
    scale(backend, web=0)
    eventually(lambda: backend.observe().types["web"].processes == ())
    assert counts(backend) == Counts(desired=0)


def test_an_unknown_type_is_an_error_of_its_own(backend, eventually):
    errors = scale(backend, ghost=1, web=1)
    assert "ghost" in errors[0]
    assert errors[1] is None
    eventually(lambda: counts(backend).running == 1)


def test_no_change_is_no_outcome(backend):
    assert backend.scale(()) == ()


def test_an_answer_comes_before_the_processes_are_ready(stage, eventually):
    stage.connect(process_type("web", startup_seconds=30.0))
    stage.scale(web=5)
    assert stage.counts() == Counts(desired=5) or stage.counts().running == 0
    eventually(lambda: stage.counts().starting == 5)


def test_an_observation_does_not_change_afterwards(backend, eventually):
    before = backend.observe()
    scale(backend, web=2)
    eventually(lambda: counts(backend).running == 2)
    assert before.types["web"].counts == Counts(desired=0)


def test_a_happening_is_told_once(backend):
    backend.observe()
    assert backend.observe().happenings == ()


def test_closing_twice_is_harmless(connect):
    backend = connect()
    scale(backend, web=1)
    backend.close(Event())
    backend.close(Event())


def test_closing_gives_back_threads_and_descriptors(connect, eventually):
    connect().close(Event())  # what is loaded once is loaded now
    threads, descriptors = threading.active_count(), count_descriptors()
    backend = connect()
    scale(backend, web=3, job=1)
    backend.close(Event())
    # Servers of the tests themselves end a connection a moment later.
    eventually(lambda: threading.active_count() <= threads and count_descriptors() <= descriptors)


def test_closing_in_a_hurry_is_quick(connect):
    backend = connect()
    scale(backend, web=3)
    hurry = Event()
    hurry.set()
    began = time.monotonic()
    backend.close(hurry)
    assert time.monotonic() - began < 30


def test_one_can_connect_again_after_closing(connect, eventually):
    connect().close(Event())
    backend = connect()
    scale(backend, web=1)
    eventually(lambda: counts(backend).running == 1)
    backend.close(Event())
