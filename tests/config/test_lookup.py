"""Finding the configuration file."""

from pathlib import Path

import pytest

from autoscaler.config import lookup
from autoscaler.config.errors import ConfigurationError
from autoscaler.config.lookup import find


@pytest.fixture(autouse=True)
def system_wide(tmp_path, monkeypatch):
    """Look for the system's file in a folder of the test."""
    path = tmp_path / "etc" / "autoscaler.yaml"
    monkeypatch.setattr(lookup, "SYSTEM_WIDE", path)
    return path


def _write(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    return path


def test_explicit_file_comes_first(tmp_path):
    _write(tmp_path / "autoscaler.yaml")
    assert find("a/b.yaml", {"AUTOSCALER_CONFIG": "c.yaml"}, tmp_path) == tmp_path / "a/b.yaml"


def test_variable_comes_before_the_folder(tmp_path):
    _write(tmp_path / "autoscaler.yaml")
    assert find(None, {"AUTOSCALER_CONFIG": "/c.yaml"}, tmp_path) == Path("/c.yaml")


def test_file_of_the_folder_comes_before_the_systems(tmp_path, system_wide):
    _write(system_wide)
    here = _write(tmp_path / "autoscaler.yaml")
    assert find(None, {}, tmp_path) == here


def test_systems_file_comes_before_the_procfile(tmp_path, system_wide):
    _write(system_wide)
    _write(tmp_path / "Procfile")
    assert find(None, {"AUTOSCALER_CONFIG": ""}, tmp_path) == system_wide


def test_procfile_comes_last(tmp_path):
    procfile = _write(tmp_path / "Procfile")
    assert find(None, {}, tmp_path) == procfile


def test_error_names_all_that_was_looked_for(tmp_path, system_wide):
    with pytest.raises(ConfigurationError) as caught:
        find(None, {}, tmp_path)
    for place in ("-c", "$AUTOSCALER_CONFIG", str(tmp_path / "autoscaler.yaml"), str(system_wide), str(tmp_path / "Procfile"), "autoscaler init"):
        assert place in str(caught.value)


def test_folder_of_that_name_is_not_taken_for_the_file(tmp_path):
    (tmp_path / "autoscaler.yaml").mkdir()
    with pytest.raises(ConfigurationError):
        find(None, {}, tmp_path)


def test_names_are_short_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _write(tmp_path / "autoscaler.yaml")
    assert str(find(None, {}, Path())) == "autoscaler.yaml"
