"""Mistakes in a local formation are found before anything is started."""

from __future__ import annotations

import sys

import pytest

from autoscaler.act.backend import BackendError
from autoscaler.act.local import Local
from tests.local_formation import process_type


def test_a_type_without_a_command_is_a_mistake(stage):
    ((name, sentence),) = stage.plugin.mistakes((process_type("web", command=None), process_type("job")))
    assert name == "web"
    assert sentence.startswith("web has no command and there is no ")
    assert "add `command:` to the type or a line 'web: ...' to the Procfile" in sentence


def test_a_procfile_without_the_type_is_named(stage):
    (stage.folder / "Procfile").write_text("job: run\n")
    ((_, sentence),) = stage.plugin.mistakes((process_type("web", command=None), process_type("job", command=None)))
    assert f"no line of that name in {stage.folder}/Procfile" in sentence


def test_a_broken_procfile_is_named_for_each_type_that_needs_it(stage):
    (stage.folder / "Procfile").write_text("web: a\nweb: b\n")
    found = stage.plugin.mistakes((process_type("web", command=None), process_type("job")))
    assert found == (("web", f"{stage.folder}/Procfile: line 2: duplicate process type 'web' (first on line 1)"),)


def test_a_procfile_that_nobody_needs_is_not_read(stage):
    (stage.folder / "Procfile").write_text("web: a\nweb: b\n")
    assert stage.plugin.mistakes((process_type("web"),)) == ()


def test_a_types_own_command_goes_before_the_procfile(stage):
    (stage.folder / "Procfile").write_text("web: echo wrong > told\njob: run\n")
    stage.connect(process_type("web", command="echo right > told; exec sleep 60"), process_type("job", command=None))
    stage.scale(web=1)
    assert stage.wait_file("told") == "right\n"


def test_connecting_with_mistakes_names_them_all(stage):
    with pytest.raises(BackendError) as error:
        stage.connect(process_type("web", command=None, maximum=101), process_type("job", command=None))
    assert "formation.web: web has no command" in str(error.value)
    assert "formation.job: job has no command" in str(error.value)
    assert "overlaps job.1" in str(error.value)


@pytest.mark.parametrize("use", [lambda plugin: plugin.connect((), None), lambda plugin: plugin.observer(())])
def test_other_systems_are_told_that_it_needs_linux(monkeypatch, use):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(BackendError, match="backend local needs Linux and this is darwin"):
        use(Local())


def test_a_relative_procfile_lies_in_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Procfile").write_text("web: run\n")
    assert Local().mistakes((process_type(command=None),)) == ()
