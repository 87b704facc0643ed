"""A reload keeps the processes and takes over what changed."""

from __future__ import annotations

import pytest

from autoscaler.act.backend import BackendError
from tests.local_formation import process_type


def test_processes_stay_over_a_reload(stage):
    stage.run("echo $$ >> pids; exec sleep 60", 2)
    stage.wait_running(2)
    stage.connect(process_type(command="echo $$ >> pids; exec sleep 60"), previous=stage.backend)
    assert stage.counts().running == 2
    stage.scale(web=3)
    stage.wait_running(3)
    assert len((stage.folder / "pids").read_text().split()) == 3


def test_a_new_type_can_be_scaled_at_once(stage):
    stage.run("exec sleep 60")
    stage.connect(process_type("job"), process_type(), previous=stage.backend)
    stage.scale(job=1)
    stage.wait_running(1, "job")
    assert stage.counts().desired == 1


def test_a_types_ports_stay_when_another_comes_before_it(stage):
    stage.run("exec sleep 60")
    stage.connect(process_type("job", command="echo $PORT > port; exec sleep 60"), process_type(), previous=stage.backend)
    stage.scale(job=1, web=2)
    assert stage.wait_file("port") == f"{stage.port + 100}\n"
    stage.wait_running(2)
    assert [process.metrics.port for process in stage.see().processes] == [20000, 20001]


def test_a_removed_type_is_drained(stage):
    stage.run("trap 'echo done > done; exit' TERM; echo up > up; while :; do sleep 0.02; done")
    stage.wait_file("up")
    stage.connect(process_type("job"), previous=stage.backend)
    assert set(stage.observe().types) == {"job"}
    assert stage.wait_file("done") == "done\n"


def test_a_type_that_comes_back_while_it_drains_runs_again(stage):
    command = "trap 'sleep 0.3; exit' TERM; echo up > up; while :; do sleep 0.02; done"
    stage.run(command, stop_timeout_seconds=5)
    stage.wait_file("up")
    backend = stage.backend
    stage.connect(process_type("job"), previous=backend)
    stage.connect(process_type(command=command), previous=backend)
    stage.scale(web=1)
    stage.wait_running(1)


def test_a_changed_command_holds_for_the_next_start(stage):
    stage.run("exec sleep 60")
    stage.wait_running(1)
    stage.connect(process_type(command="echo new > new; exec sleep 60", stop_timeout_seconds=1.0), previous=stage.backend)
    assert stage.wait_told("web: the new") == "web: the new command, stop_timeout holds for processes started from now on"
    assert not (stage.folder / "new").exists()
    stage.scale(web=2)
    stage.wait_file("new")


def test_a_reload_that_fails_changes_nothing(stage):
    stage.run("exec sleep 60")
    stage.wait_running(1)
    with pytest.raises(BackendError, match="listen: missing"):
        stage.connect(process_type(), process_type("api", socket="shared"), previous=stage.backend)
    assert set(stage.observe().types) == {"web"}
    assert stage.counts().running == 1


def test_another_procfile_moves_the_formation(stage, tmp_path):
    stage.run("exec sleep 60")
    stage.wait_running(1)
    old, backend = stage.plugin, stage.backend
    stage.folder = tmp_path / "moved"
    stage.folder.mkdir()
    assert stage.connect(process_type(), previous=backend) is backend
    assert old.observer((process_type(),)).observe().types["web"].counts.running == 0
    assert stage.plugin.observer((process_type(),)).observe().types["web"].counts.running == 1


def test_a_closed_backend_is_not_taken_over(stage):
    stage.run("exec sleep 60")
    old = stage.backend
    stage.close()
    assert stage.connect(process_type(), previous=old) is not old
