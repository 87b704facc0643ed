"""Find what the tests are made of: real servers and made-up ones."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType


def test_part(name: str) -> ModuleType:
    """Import a module of the tests; some library brings a package of that name too."""
    if "tests" not in sys.modules:
        tests = ModuleSpec("tests", None, is_package=True)
        if tests.submodule_search_locations is not None:
            tests.submodule_search_locations.append(str(Path(__file__).resolve().parent.parent / "tests"))
        sys.modules["tests"] = module_from_spec(tests)
    return import_module(f"tests.{name}")
