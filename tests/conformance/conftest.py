"""Find the vectors, and make a test of every case."""

import json
import os
from pathlib import Path

import pytest

from tests.conformance.exclusions import is_left_out

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "conformance"
_FOLDER = Path(os.environ.get("CONFORMANCE_VECTORS") or _BESIDE)
_FILES = {path.stem: path for path in sorted(_FOLDER.glob("*.json"))}
_NOTHING = pytest.param(None, marks=pytest.mark.skip(reason=f"there are no vectors in {_FOLDER}"), id="nothing")
_ABSENT = "absent"


def pytest_generate_tests(metafunc):
    """Give a test with the argument ``case`` the cases of the file it is named for, and one with ``vectors`` each file."""
    if "case" in metafunc.fixturenames:
        file = _file_of(Path(metafunc.module.__file__))
        metafunc.parametrize("case", _cases(file) if file in _FILES else [pytest.param(None, id=_ABSENT)] if _FILES else [_NOTHING])
    if "vectors" in metafunc.fixturenames:
        metafunc.parametrize("vectors", [pytest.param(path, id=file) for file, path in _FILES.items()] or [_NOTHING])


def pytest_collection_modifyitems(config, items):
    """Ignore the tests of files that the folder does not have."""
    absent = [item for item in items if item.path.parent == Path(__file__).parent and item.name.endswith(f"[{_ABSENT}]")]
    if absent:
        config.hook.pytest_deselected(items=absent)
        items[:] = [item for item in items if item not in absent]


def _file_of(module):
    return module.stem.removeprefix("test_")


def _cases(file):
    """Name the cases of a file, and those of further lists such as ``direction_cases``, ``file::id``."""
    content = json.loads(_FILES[file].read_text())
    further = [(key, case) for key in content if key.endswith("_cases") for case in content[key]]
    cases = content["cases"] + [{"id": f"{key.removesuffix('_cases')} {index}"} | case for index, (key, case) in enumerate(further)]
    return [pytest.param(case, id=f"{file}::{case.get('id') or case.get('name')}") for case in cases if not is_left_out(file, case)]


@pytest.fixture
def adapters() -> set[str]:
    """Name the files whose cases are run."""
    return {_file_of(path) for path in Path(__file__).parent.glob("test_*.py")}
