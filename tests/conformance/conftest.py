"""Find the vectors, and make a test of every case."""

import json
import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "conformance"
_FOLDER = Path(os.environ.get("CONFORMANCE_VECTORS") or _BESIDE)
_NOTHING = [pytest.param(None, marks=pytest.mark.skip(reason=f"there are no vectors in {_FOLDER}"))]


def pytest_generate_tests(metafunc):
    """Give a test with the argument ``case`` the cases of the file it is named for, and one with ``vectors`` each file."""
    if "case" in metafunc.fixturenames:
        path = _FOLDER / f"{Path(metafunc.module.__file__).stem.removeprefix('test_')}.json"
        cases = json.loads(path.read_text())["cases"] if path.exists() else []
        metafunc.parametrize("case", [pytest.param(case, id=case.get("id") or case.get("name")) for case in cases] or _NOTHING)
    if "vectors" in metafunc.fixturenames:
        metafunc.parametrize("vectors", [pytest.param(path, id=path.stem) for path in sorted(_FOLDER.glob("*.json"))] or _NOTHING)


@pytest.fixture
def without_adapter() -> list[str]:
    """Name the files whose cases are not run."""
    adapters = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")}
    return sorted(path.stem for path in _FOLDER.glob("*.json") if path.stem not in adapters)
