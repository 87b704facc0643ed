"""A policy, a source and a backend from a package that is not ours work from the configuration like the built-in ones."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_CODE = '''
"""Plug-ins of a stranger."""

from dataclasses import dataclass
from typing import Annotated

from autoscaler.model import Counts, Duration, Formation, Help, Metric, Number, Outcome, Recommendation, TypeFormation


@dataclass(frozen=True, slots=True)
class Tide:
    """A source that knows its level."""

    level: Annotated[float, Number(at_least=0), Help("the level")]

    def read(self, poll):
        return poll.reading(self.level)


@dataclass(frozen=True, slots=True)
class Boats:
    """A policy that wants a boat for every foot."""

    tide: Metric
    within_seconds: Duration = 60.0

    def recommend(self, observation, memory):
        level = observation.value(self.tide)
        return Recommendation(int(level), f"{level:g} feet of water")


@dataclass(frozen=True, slots=True)
class Harbour:
    """A backend with room for boats."""

    boats: int = 1

    def connect(self, process_types, previous):
        return Moored({one.name: self.boats for one in process_types})

    def observer(self, process_types):
        return self.connect(process_types, None)


class Moored:
    """The boats that lie in the harbour."""

    def __init__(self, boats):
        self.boats = boats

    def observe(self):
        return Formation({name: TypeFormation(Counts(desired=boats, running=boats)) for name, boats in self.boats.items()})

    def scale(self, changes):
        self.boats |= {change.process_type: change.target for change in changes}
        return tuple(Outcome(change.process_type) for change in changes)

    def close(self, hurry):
        """Leave the boats where they are."""
'''
_ENTRY_POINTS = """\
[autoscaler.sources]
tide = acme_plugins:Tide
[autoscaler.policies]
boats = acme_plugins:Boats
[autoscaler.backends]
harbour = acme_plugins:Harbour
"""
_CONFIGURATION = """\
backend: {harbour: {boats: 2}}
metrics:
  tide: {tide: {level: 5}}
formation:
  fleet: {maximum: 10, policies: [{boats: {tide: tide, within: 30s}}]}
"""
_LOAD = """\
import os
from pathlib import Path
from autoscaler.config.errors import ConfigurationError
from autoscaler.config.loading import load
try:
    settings = load(Path("autoscaler.yaml"), os.environ)
except ConfigurationError as error:
    print(error)
else:
    print(settings.types[0].policies[0].policy, settings.metrics[0].source, settings.backends["default"])
"""


def _install(folder: Path, distribution: str = "acme-plugins", code: str = _CODE) -> Path:
    """Lay a distribution into a folder as an installer does: a module, and its metadata beside it."""
    information = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    information.mkdir(parents=True)
    (folder / "acme_plugins.py").write_text(code)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(_ENTRY_POINTS)
    return folder


def _run(folder: Path, arguments: list[str], *site: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, site))}
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def folder(tmp_path):
    """Make a folder with a configuration that names the plug-ins."""
    path = tmp_path / "app"
    path.mkdir()
    (path / "autoscaler.yaml").write_text(_CONFIGURATION)
    return path


def test_installed_package_is_found_by_its_entry_points(folder, tmp_path):
    result = _run(folder, ["-c", _LOAD], _install(tmp_path / "site"))
    assert result.stdout == "Boats(tide='tide', within_seconds=30.0) Tide(level=5.0) Harbour(boats=2)\n", result.stderr


def test_its_options_are_checked_like_our_own(folder, tmp_path):
    (folder / "autoscaler.yaml").write_text(_CONFIGURATION.replace("within: 30s", "within: 30").replace("level: 5", "levle: 5"))
    result = _run(folder, ["-c", _LOAD], _install(tmp_path / "site"))
    assert result.stdout.splitlines() == [
        "autoscaler.yaml:3:10: metrics.tide.tide.level: missing; add level (the level)",
        "autoscaler.yaml:3:17: metrics.tide.tide.levle: unknown key; did you mean level?",
        "autoscaler.yaml:5:64: formation.fleet.policies[0].boats.within: 30 has no unit; write 30s for seconds",
    ]


def test_package_that_fails_to_import_is_a_mistake_that_names_it(folder, tmp_path):
    result = _run(folder, ["-c", _LOAD], _install(tmp_path / "site", code="import no_such_module\n"))
    lines = result.stdout.splitlines()
    assert len(lines) == 3, result.stderr
    for line in lines:
        assert "of acme-plugins cannot be imported (ModuleNotFoundError: No module named 'no_such_module')" in line


def test_two_packages_with_one_name_are_both_named(folder, tmp_path):
    result = _run(folder, ["-c", _LOAD], _install(tmp_path / "site"), _install(tmp_path / "other", "beta-plugins"))
    assert "the backend harbour comes from acme-plugins and beta-plugins; uninstall one of them" in result.stdout


def test_package_that_is_not_installed_lists_what_is(folder):
    result = _run(folder, ["-c", _LOAD])
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("autoscaler.yaml:1:11: backend.harbour: unknown backend; "))
    assert {"dry_run", "local"} <= set(line.rpartition("installed are ")[2].split(", "))


def test_plan_decides_with_the_plugins_of_the_package(folder, tmp_path):
    result = _run(folder, ["-m", "autoscaler", "plan", "-c", "autoscaler.yaml", "--json"], _install(tmp_path / "site"))
    assert result.returncode == 0, result.stderr
    (decision,) = (line for line in map(json.loads, result.stdout.splitlines()) if line["event"] == "decision")
    assert (decision["process_type"], decision["observed"]["running"], decision["target"]) == ("fleet", 2, 5)
    assert "5 feet of water" in decision["reason"]
