"""Drive a script that speaks as initctl(8) of Upstart does, by the example; Upstart itself is in no distribution of today."""

from threading import Event

import pytest

from autoscaler.model import Change, Counts
from tests.supervisors import TYPES, load_example

_INITCTL = """#!/bin/sh
cd "$(dirname "$0")/jobs" || exit 1
case "$1" in
list)
    echo "network-interface (lo) start/running"
    echo "tty1 start/running, process 1041"
    echo "web stop/waiting"
    for each in *.*; do [ -e "$each" ] && echo "${each%.*} (${each##*.}) $(cat "$each")"; done
    true ;;
start)
    [ "$2" = --no-wait ] || exit 64
    if [ -e "$3.${4#N=}" ]; then echo "initctl: Job is already running: $3 (${4#N=})" >&2; exit 1; fi
    echo "start/running, process 4242" > "$3.${4#N=}" ;;
stop)
    [ "$2" = --no-wait ] || exit 64
    if [ ! -e "$3.${4#N=}" ]; then echo "initctl: Unknown instance: ${4#N=}" >&2; exit 1; fi
    rm "$3.${4#N=}" ;;
*) exit 64 ;;
esac
"""


@pytest.fixture
def jobs(tmp_path):
    """Return the folder in which the script keeps a file for each instance."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "initctl").write_text(_INITCTL)
    (tmp_path / "initctl").chmod(0o755)
    return tmp_path / "jobs"


@pytest.fixture
def backend(jobs):
    made = load_example("upstart.yaml", {": initctl ": f": {jobs.parent}/initctl "}).backends["default"].connect(TYPES, None)
    yield made
    made.close(Event())


def _counts(backend):
    formation = backend.observe()
    return formation.types["web"].counts if "web" in formation.types else formation.errors["web"]


def _scale(backend, target):
    return [each.error for each in backend.scale((Change("web", 0, target, "test"),))]


def test_instances_come_and_go(backend, jobs):
    assert _counts(backend) == Counts(desired=0)
    assert _scale(backend, 3) == [None]
    assert _counts(backend) == Counts(desired=3, running=3)
    assert _scale(backend, 1) == [None]
    assert sorted(each.name for each in jobs.iterdir()) == ["web.1"]


def test_the_lowest_free_numbers_are_taken(backend, jobs):
    (jobs / "web.2").write_text("start/running, process 7\n")
    _counts(backend)
    assert _scale(backend, 3) == [None]
    assert sorted(each.name for each in jobs.iterdir()) == ["web.1", "web.2", "web.3"]


def test_an_instance_has_the_state_that_upstart_tells(backend, jobs):
    states = ("start/running, process 1", "start/spawned, process 2", "start/post-stop", "stop/killed, process 4", "stop/waiting", "start/starting")
    for number, state in enumerate(states, start=1):
        (jobs / f"web.{number}").write_text(f"{state}\n")
    assert _counts(backend) == Counts(desired=4, running=1, starting=2, failed=1, draining=2)


def test_an_instance_that_somebody_started_meanwhile_is_told_of(backend, jobs):
    _counts(backend)
    (jobs / "web.1").write_text("start/running, process 7\n")
    assert _scale(backend, 1) == ["the command ended with exit code 1: initctl: Job is already running: web (1)"]
    assert _counts(backend) == Counts(desired=1, running=1)


def test_an_initctl_that_is_not_there_holds_every_type(backend, jobs):
    (jobs.parent / "initctl").unlink()
    assert _counts(backend).startswith("list: the command does not exist: ")
