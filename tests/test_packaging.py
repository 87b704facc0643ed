"""Build the wheel and look inside it, then install it elsewhere and use it."""

import re
import subprocess
import sys
import sysconfig
import zipfile
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

import autoscaler

_ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = ("autoscaler", "autoscaler_policies", "autoscaler_simulations")
_GROUPS = ("autoscaler.sources", "autoscaler.policies", "autoscaler.backends", "console_scripts")


def _run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _our_entry_points() -> list[EntryPoint]:
    return [each for group in _GROUPS for each in entry_points(group=group) if each.dist.name == "formation-autoscaler"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder, folder=_ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def wheel_files(wheel) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """Install the wheel alone in a new environment that borrows its dependencies from this one; return its folder of programs."""
    venv = tmp_path_factory.mktemp("installed")
    _run(sys.executable, "-m", "venv", "--without-pip", venv, folder=venv)
    _run(sys.executable, "-m", "pip", "--python", venv / "bin" / "python", "install", "--quiet", "--no-deps", "--no-index", wheel, folder=venv)
    (packages,) = venv.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return venv / "bin"


def test_wheel_holds_three_packages_and_no_generic_names(wheel_files):
    top_level = {name.split("/")[0] for name in wheel_files}

    assert top_level == {*_PACKAGES, f"formation_autoscaler-{autoscaler.__version__}.dist-info"}


def test_wheel_tells_type_checkers_of_every_package(wheel_files):
    assert {f"{package}/py.typed" for package in _PACKAGES} <= set(wheel_files)


def test_wheel_holds_every_file_of_the_packages_and_the_scenarios(wheel_files):
    roots = [_ROOT, _ROOT / "policies", _ROOT / "simulations"]
    sources = {str(path.relative_to(root)) for root in roots for package in _PACKAGES for path in (root / package).rglob("*") if path.is_file()}
    scenarios = {f"autoscaler_simulations/scenarios/{path.name}" for path in (_ROOT / "simulations" / "scenarios").iterdir()}

    assert {name for name in sources if "__pycache__" not in name} | scenarios == {name for name in wheel_files if ".dist-info/" not in name}


@pytest.mark.parametrize("entry_point", _our_entry_points(), ids=lambda each: f"{each.group}:{each.name}")
def test_entry_points_name_what_exists(entry_point):
    assert callable(entry_point.load())


def test_installed_command_tells_its_version(installed, tmp_path):
    assert autoscaler.__version__ in _run(installed / "autoscaler", "--version", folder=tmp_path)


def test_installed_module_runs_as_the_command(installed, tmp_path):
    assert autoscaler.__version__ in _run(installed / "python", "-m", "autoscaler", "--version", folder=tmp_path)


def test_installed_packages_are_those_of_the_wheel(installed, tmp_path):
    located = _run(installed / "python", "-c", "import autoscaler; print(autoscaler.__file__)", folder=tmp_path)

    assert Path(located.strip()).is_relative_to(installed.parent)


def test_installed_schema_knows_every_plug_in(installed, tmp_path):
    schema = _run(installed / "autoscaler", "schema", folder=tmp_path)

    assert [each.name for each in _our_entry_points() if each.group.startswith("autoscaler.") and f'"{each.name}"' not in schema] == []


_OUTSIDE_PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "outside"
version = "1"

[project.entry-points."autoscaler.policies"]
reserve = "outside.policy:Reserve"

[project.entry-points."autoscaler.sources"]
load_average = "outside.source:LoadAverage"

[project.entry-points."autoscaler.backends"]
number_files = "outside.backend:NumberFiles"
"""
_OUTSIDE_CONFIGURATION = """
interval: 1s
listen: null
backend: {number_files: {folder: .}}
metrics:
  load: {load_average: {path: loadavg}, every: 1s}
formation:
  web: {minimum: 1, maximum: 8, policies: [reserve: {metric: load, share: 0.5}]}
"""


@pytest.fixture(scope="module")
def outside(installed, tmp_path_factory) -> Path:
    """Install the plug-ins that the documents show as a package of its own; return the folder of programs."""
    project = tmp_path_factory.mktemp("project")
    source, backend = _shown_in("CONTRIBUTING.md")
    (policy,) = _shown_in("policies/README.md")
    (project / "outside").mkdir()
    for name, code in (("__init__", ""), ("policy", policy), ("source", source), ("backend", backend)):
        (project / "outside" / f"{name}.py").write_text(code)
    (project / "pyproject.toml").write_text(_OUTSIDE_PROJECT)
    pip = (sys.executable, "-m", "pip", "--python", installed / "python", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation")
    _run(*pip, project, folder=project)
    return installed


def _shown_in(document: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (_ROOT / document).read_text(), re.MULTILINE | re.DOTALL)


def test_plug_ins_of_another_package_work_from_the_configuration(outside, tmp_path):
    (tmp_path / "autoscaler.yaml").write_text(_OUTSIDE_CONFIGURATION)
    (tmp_path / "loadavg").write_text("2.00 1.00 0.50 1/300 4242\n")

    _run(outside / "autoscaler", "run", "--once", folder=tmp_path)

    assert (tmp_path / "web").read_text() == "4"


def test_wrong_configuration_of_another_packages_plug_in_is_named(outside, tmp_path):
    (tmp_path / "autoscaler.yaml").write_text(_OUTSIDE_CONFIGURATION.replace("share: 0.5", "share: 7"))

    done = subprocess.run([outside / "autoscaler", "check"], cwd=tmp_path, check=False, capture_output=True, text=True, timeout=100)

    assert done.returncode == 2
    assert "share: 7 " in done.stderr
