"""The program: its help, its version, its exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from autoscaler import __version__
from autoscaler.cli.failures import told_plainly
from autoscaler.cli.lazy_group import LazyCommand, LazyGroup
from autoscaler.cli.main import COMMANDS, main, program
from autoscaler.model import AutoscalerError

SLOW = ("pydantic", "structlog", "rich", "ruamel", "requests", "apscheduler", "prometheus_client", "numpy", "autoscaler.model")
HELP = f"import runpy, sys\ntry:\n runpy.run_module('autoscaler', run_name='__main__')\nfinally:\n print([m for m in {SLOW} if m in sys.modules])"


def test_the_help_names_every_command(call: Callable[..., Result]) -> None:
    result = call("--help")

    assert result.exit_code == 0
    assert [name for name in COMMANDS if f"  {name} " not in result.output] == []


def test_the_help_imports_click_and_nothing_slow() -> None:
    found = subprocess.run([sys.executable, "-c", HELP, "--help"], capture_output=True, text=True, check=True)

    assert found.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_of_its_own(call: Callable[..., Result], command: str) -> None:
    result = call(command, "--help")

    assert result.exit_code == 0
    assert f"Usage: autoscaler {command}" in result.output


def test_the_version_is_told(call: Callable[..., Result]) -> None:
    assert call("--version").output == f"autoscaler {__version__}\n"


@pytest.mark.parametrize("arguments", [["nonsense"], ["run", "--nonsense"], ["completion", "tcsh"], ["pause"]])
def test_wrong_usage_exits_with_2(call: Callable[..., Result], arguments: list[str]) -> None:
    assert call(*arguments).exit_code == 2


def test_a_flag_can_come_from_the_environment(call: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOSCALER_PLAN_JSON", "1")

    assert call("plan").stdout.startswith('{"event": "decision"')


def test_the_configuration_can_come_from_the_environment(call: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "autoscaler.yaml").rename(folder / "other.yaml")
    monkeypatch.setenv("AUTOSCALER_CONFIG", "other.yaml")

    assert call("check").stdout.splitlines()[-1] == "other.yaml: ok: 2 process types, 1 metric"


def test_no_configuration_is_told_without_a_traceback(call: Callable[..., Result], folder: Path) -> None:
    (folder / "autoscaler.yaml").unlink()

    result = call("plan")

    assert result.exit_code == 2
    assert "there is no" in result.stderr
    assert isinstance(result.exception, SystemExit)


def test_any_other_failure_exits_with_1() -> None:
    with pytest.raises(click.ClickException) as caught, told_plainly():
        raise AutoscalerError("the backend is away; start it")

    assert (caught.value.exit_code, caught.value.message) == (1, "the backend is away; start it")


def test_a_plugin_command_is_listed_and_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs.py").write_text('"""Count sheep."""\nimport click\n@click.command\ndef sheep():\n    click.echo("one")\n')
    information = tmp_path / "theirs-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1\n")
    lines = ["sheep = theirs:sheep", "lost = theirs:lost", "path = theirs:__name__", "away = not_there.at_all:x", "run = theirs:sheep"]
    (information / "entry_points.txt").write_text("\n".join(["[autoscaler.commands]", *lines]))
    monkeypatch.syspath_prepend(tmp_path)

    answers = {name: CliRunner().invoke(program, [name]) for name in ("--help", "sheep", "lost", "path", "away")}

    assert "sheep       Count sheep." in answers["--help"].output
    assert "Run the controller in the foreground." in answers["--help"].output
    assert answers["sheep"].output == "one\n"
    assert [answers[name].exit_code for name in ("lost", "path", "away")] == [1, 1, 1]
    assert "reinstall the package" in answers["lost"].output
    assert "no click command" in answers["path"].output


def test_listing_a_plugin_does_not_import_it() -> None:
    group = LazyGroup("all", lazy_commands={"broken": LazyCommand("not_there", "x", "Never imported.")})

    assert "Never imported." in CliRunner().invoke(group, ["--help"]).output


def test_main_ends_with_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["autoscaler", "nonsense"])

    with pytest.raises(SystemExit, match="2"):
        main()


@pytest.mark.parametrize("redirection", [">&-", "<&-", "2>&-", "<&- >&- 2>&-", "> /dev/full", "2> /dev/full", "| head -c 1"])
def test_streams_may_be_closed_or_full(folder: Path, redirection: str) -> None:
    command = f"{sys.executable} -m autoscaler schema {redirection}"

    found = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False, env=dict(os.environ))

    assert "Traceback" not in found.stderr
    assert "Exception ignored" not in found.stderr
