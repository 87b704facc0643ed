"""Hold the laws of this house that no tool checks: sizes, docstrings, who imports what, and that the documents tell the truth."""

import ast
import importlib
import re
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from autoscaler.cli.main import program
from autoscaler.model import Change, Counts, Observation, Outcome, ProcessType, Reading, Recommendation
from autoscaler.observe.source import Poll, SourceError

_ROOT = Path(__file__).resolve().parent.parent
_SOURCE_ROOTS = ("autoscaler", "policies/autoscaler_policies", "simulations/autoscaler_simulations")
_FILES = sorted(path for root in _SOURCE_ROOTS for path in (_ROOT / root).rglob("*.py"))
_TREES = {path: ast.parse(path.read_text()) for path in _FILES}
_DOCUMENTS = sorted([*_ROOT.glob("*.md"), *_ROOT.glob("*/*.md"), *_ROOT.glob("*/*/README.md")])
_WEB = ProcessType(name="web", minimum=0, maximum=10)
_MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", (_ROOT / "Makefile").read_text(), re.MULTILINE))


def _name(path: Path) -> str:
    return str(path.relative_to(_ROOT))


def _functions(path: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(_TREES[path]) if isinstance(node, ast.FunctionDef)]


def _public(node: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.ClassDef) and not child.name.startswith("_"):
            yield child
        if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield from _public(child)


def _lines(function: ast.FunctionDef) -> int:
    return function.end_lineno - function.lineno + 1


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(_TREES[path]):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def _importers(library: str) -> list[str]:
    return [_name(path) for path in _FILES if any(name == library or name.startswith(f"{library}.") for name in _imports(path))]


def _commands_in(document: Path) -> list[str]:
    """Return what a reader is told to type: the lines of code blocks and the code between backticks."""
    text = document.read_text()
    blocks = re.findall(r"^```(?:sh|console|text)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    indented = re.findall(r"^ {4}(.*)$", text, re.MULTILINE)
    inline = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)
    return [line.strip().removeprefix("$ ") for line in "\n".join([*blocks, *indented, *inline]).splitlines()]


def test_no_function_is_longer_than_fifty_lines():
    long = [f"{_name(path)}:{each.lineno} {each.name}" for path in _FILES for each in _functions(path) if _lines(each) > 50]

    assert long == []


def test_half_of_all_functions_fit_in_seven_lines():
    assert statistics.median(_lines(each) for path in _FILES for each in _functions(path)) <= 7


def test_no_file_is_longer_than_three_hundred_lines():
    assert [_name(path) for path in _FILES if len(path.read_text().splitlines()) > 300] == []


def test_everything_public_has_a_docstring():
    bare = [f"{_name(path)}:{node.lineno} {node.name}" for path, tree in _TREES.items() for node in _public(tree) if not ast.get_docstring(node)]

    assert bare == []


def test_every_module_opens_with_one_sentence():
    openings = {_name(path): (ast.get_docstring(tree) or "").split("\n\n")[0] for path, tree in _TREES.items()}

    assert [name for name, opening in openings.items() if not re.fullmatch(r"[^\n]+\.", opening)] == []


def test_only_the_loop_catches_every_exception():
    broad = [
        _name(path)
        for path, tree in _TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
    ]

    assert len(broad) <= 1
    assert all(name.startswith("autoscaler/loop") for name in broad)


@pytest.mark.parametrize(
    ("library", "home", "also"),
    [
        ("requests", "autoscaler/http_client/", []),
        ("apscheduler", "autoscaler/loop", []),
        ("ruamel", "autoscaler/config/", ["autoscaler/act/kubernetes/kubeconfig.py", "autoscaler/export/kubernetes_yaml.py"]),
        ("prometheus_client", "autoscaler/serve/", ["autoscaler/observe/exposition.py"]),  # pages are read with its parser
    ],
)
def test_one_file_alone_imports_a_big_library(library, home, also):
    importers = [name for name in _importers(library) if name not in also]

    assert len(importers) == 1
    assert importers[0].startswith(home)


@pytest.mark.parametrize("pins", ["core.txt", "development.txt"])
def test_requirements_are_pins_and_name_no_index(pins):
    lines = [line for line in (_ROOT / "requirements" / pins).read_text().splitlines() if not line.startswith("#")]

    assert lines
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9a-z.]*", line)] == []


@pytest.mark.parametrize("document", _DOCUMENTS, ids=_name)
def test_documents_name_make_targets_that_exist(document):
    named = {target for line in _commands_in(document) for target in re.findall(r"\bmake ([a-z][a-z-]*)", line)}

    assert named - _MAKE_TARGETS == set()


@pytest.mark.parametrize("document", _DOCUMENTS, ids=_name)
def test_documents_name_commands_that_exist(document):
    named = {command for line in _commands_in(document) for command in re.findall(r"^autoscaler ([a-z][a-z-]*)", line)}

    assert named - set(program.list_commands(click.Context(program))) == set()


@pytest.mark.parametrize("document", _DOCUMENTS, ids=_name)
def test_documents_link_to_files_that_exist(document):
    links = [link for link in re.findall(r"\]\(([^)#]+)", document.read_text()) if "://" not in link]

    assert [link for link in links if not (document.parent / link).exists()] == []


_CONFIGURATIONS = re.findall(r"^```yaml\n(.*?)^```", (_ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("configuration", _CONFIGURATIONS)
def test_configuration_in_the_readme_passes_the_check(tmp_path, monkeypatch, configuration):
    whole = configuration if "formation:" in configuration else f"{configuration}\nformation: {{web: {{maximum: 4}}}}\n"
    for name in re.findall(r"\$\{(\w+)\}", whole):
        monkeypatch.setenv(name, "secret")
    (tmp_path / "autoscaler.yaml").write_text(whole)
    (tmp_path / "Procfile").write_text("web: serve\nworker: work\n")

    result = CliRunner().invoke(program, ["check", "-c", str(tmp_path / "autoscaler.yaml")])

    assert (result.exit_code, "warning" in result.output) == (0, False), result.output


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """Import what a document shows as Python, the block of a given number from 0."""

    def load(document, number):
        blocks = re.findall(r"^```python\n(.*?)^```", (_ROOT / document).read_text(), re.MULTILINE | re.DOTALL)
        (tmp_path / "shown_plug_in.py").write_text(blocks[number])
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "shown_plug_in", raising=False)
        return importlib.import_module("shown_plug_in")

    return load


def test_policy_shown_in_its_readme_recommends(shown):
    reserve = shown("policies/README.md", 0).Reserve(metric="announced")
    readings = {"announced": Reading("announced", 2.0, at=0.0)}
    observation = Observation(now=0.0, at=0.0, process_type=_WEB, counts=Counts(desired=1, running=1), readings=readings)

    assert reserve.recommend(observation, None) == Recommendation(5, "2 announced, 0.5 of 10 -> 5")


def test_source_shown_to_contributors_reads(shown, tmp_path):
    (tmp_path / "loadavg").write_text("0.42 0.30 0.20 1/300 4242\n")
    source = shown("CONTRIBUTING.md", 0).LoadAverage(path=str(tmp_path / "loadavg"))

    assert source.read(Poll(metric="load", now=5.0, at=0.0, timeout_seconds=1.0)) == Reading("load", 0.42, at=5.0, window_seconds=60.0)


def test_source_shown_to_contributors_has_no_reading_of_nothing(shown, tmp_path):
    source = shown("CONTRIBUTING.md", 0).LoadAverage(path=str(tmp_path / "missing"))

    with pytest.raises(SourceError, match="holds no load average"):
        source.read(Poll(metric="load", now=5.0, at=0.0, timeout_seconds=1.0))


def test_backend_shown_to_contributors_scales(shown, tmp_path):
    backend = shown("CONTRIBUTING.md", 1).NumberFiles(folder=str(tmp_path)).connect((_WEB,), None)

    assert backend.observe().types["web"].counts == Counts(desired=0)
    assert backend.scale((Change("web", 0, 3, "three are needed"),)) == (Outcome("web"),)
    assert backend.observe().types["web"].counts == Counts(desired=3, running=3)
