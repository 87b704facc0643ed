"""A dry run imagines its formation, and a shadow only watches a real one."""

from __future__ import annotations

from threading import Event

import pytest

from autoscaler.act.dry_run import DryRun, Shadow
from autoscaler.model import Change, Counts
from tests.local_formation import process_type

TYPES = (process_type("web"), process_type("job"))


def test_what_is_asked_for_runs_at_once():
    backend = DryRun().connect(TYPES, None)
    backend.scale((Change("web", 0, 3, ""),))
    seen = backend.observe().types["web"]
    assert seen.counts == Counts(desired=3, running=3)
    assert [process.name for process in seen.processes] == ["web.1", "web.2", "web.3"]


def test_a_reload_keeps_what_was_imagined():
    backend = DryRun().connect(TYPES, None)
    backend.scale((Change("web", 0, 3, ""), Change("job", 0, 1, "")))
    again = DryRun().connect((TYPES[0], process_type("new")), backend)
    assert {name: seen.counts.desired for name, seen in again.observe().types.items()} == {"web": 3, "new": 0}


def test_an_observer_begins_at_zero():
    assert DryRun().observer(TYPES).observe().types["web"].counts == Counts(desired=0)


@pytest.mark.parametrize(("change", "says"), [(Change("x", 0, 1, ""), "not a process type"), (Change("web", 0, -1, ""), "ask for 0 or more")])
def test_a_change_that_makes_no_sense_is_refused(change, says):
    backend = DryRun().connect(TYPES, None)
    assert says in backend.scale((change,))[0].error
    assert backend.observe().types["web"].counts.desired == 0


def test_a_shadow_agrees_to_everything_and_does_nothing(stage):
    stage.run("exec sleep 60", 2)
    stage.wait_running(2)
    shadow = Shadow(stage.plugin.observer((process_type(),)))
    assert shadow.scale((Change("web", 2, 0, ""),))[0].error is None
    assert shadow.observe().types["web"].counts == Counts(desired=2, running=2)
    shadow.close(Event())
    assert stage.counts().desired == 2
