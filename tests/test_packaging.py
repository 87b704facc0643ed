"""Build the wheel and look inside it, then install it elsewhere and use it."""

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


def test_wheel_holds_every_file_of_the_packages(wheel_files):
    roots = [_ROOT, _ROOT / "policies", _ROOT / "simulations"]
    sources = {str(path.relative_to(root)) for root in roots for package in _PACKAGES for path in (root / package).rglob("*") if path.is_file()}

    assert {name for name in sources if "__pycache__" not in name} == {name for name in wheel_files if ".dist-info/" not in name}


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


@pytest.mark.parametrize("name", [each.name for each in _our_entry_points() if each.group.startswith("autoscaler.")])
def test_installed_schema_knows_every_plug_in(installed, tmp_path, name):
    schema = _run(installed / "autoscaler", "schema", folder=tmp_path)

    assert f'"{name}"' in schema
