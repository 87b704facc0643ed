"""Of a singleton there are never two processes, not even while one drains."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoscaler.model import Address
from tests.local_formation import process_type

# Notes when it begins and when it has ended; drains until the file `go` is there.
ALONE = "echo begin >> told; trap 'until [ -e go ]; do sleep 0.01; done; echo end >> told; exit' TERM; while :; do sleep 0.01; done"
WAITS = "web is a singleton: its next process starts when the one that drains has ended"


@pytest.fixture
def alone():
    return process_type(command=ALONE, is_singleton=True, stop_timeout_seconds=60.0)


def test_the_next_process_starts_when_the_one_that_drains_has_ended(stage, alone):
    stage.connect(alone)
    stage.scale(web=1)
    stage.wait_file("told")
    stage.scale(web=0)
    stage.wait(lambda seen: seen.counts.draining == 1)
    stage.scale(web=1)
    assert stage.wait_told("singleton") == WAITS
    assert (stage.counts().draining, stage.counts().starting, stage.names()) == (1, 1, ["web.1"])
    (stage.folder / "go").touch()
    stage.wait_running(1)
    stage.eventually(lambda: stage.wait_file("told").split() == ["begin", "end", "begin"])
    assert stage.see().notes == ()


def test_a_reload_that_replaces_the_process_waits_for_its_end(stage, alone, free_port):
    stage.connect(alone)
    stage.scale(web=1)
    stage.wait_file("told")
    stage.connect(replace(alone, socket="shared", listen=Address("127.0.0.1", free_port)), previous=stage.backend)
    stage.wait(lambda seen: WAITS in seen.notes)
    (stage.folder / "go").touch()
    stage.eventually(lambda: stage.wait_file("told").split() == ["begin", "end", "begin"])


def test_whatever_is_asked_for_one_runs(stage, alone):
    stage.connect(alone)
    stage.scale(web=3)
    stage.wait_running(1)
    assert (stage.names(), stage.counts().starting) == (["web.1"], 0)
    (stage.folder / "go").touch()


def test_a_type_that_becomes_a_singleton_keeps_its_first_process(stage):
    stage.run("exec sleep 60", 3)
    stage.wait_running(3)
    stage.connect(process_type(is_singleton=True), previous=stage.backend)
    stage.wait(lambda seen: len(seen.processes) == 1)
    assert stage.names() == ["web.1"]


def test_another_number_that_drains_is_waited_for_too(stage, alone):
    several = replace(alone, is_singleton=False)
    stage.connect(several)
    stage.scale(web=2)
    stage.eventually(lambda: stage.wait_file("told").count("begin") == 2)
    stage.scale(web=0)
    stage.connect(alone, previous=stage.backend)
    stage.scale(web=1)
    stage.wait_told("singleton")
    (stage.folder / "go").touch()
    stage.eventually(lambda: stage.wait_file("told").split() == ["begin", "begin", "end", "end", "begin"])
