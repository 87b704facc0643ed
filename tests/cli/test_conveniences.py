"""The commands init, schema and completion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result


def test_init_writes_a_file_that_passes_check(call: Callable[..., Result], folder: Path) -> None:
    (folder / "autoscaler.yaml").unlink()

    assert call("init").exit_code == 0
    assert call("check").exit_code == 0


def test_init_names_the_types_of_the_procfile(call: Callable[..., Result], folder: Path) -> None:
    (folder / "autoscaler.yaml").unlink()
    (folder / "Procfile").write_text("api: sleep 1\nmailer: sleep 1\n")

    call("init")

    assert "3 process types" not in call("check").stdout
    assert [name for name in ("api", "mailer") if f"  {name}:" not in (folder / "autoscaler.yaml").read_text()] == []


def test_init_overwrites_only_when_forced(call: Callable[..., Result], folder: Path) -> None:
    before = (folder / "autoscaler.yaml").read_text()

    refused = call("init")

    assert (refused.exit_code, (folder / "autoscaler.yaml").read_text()) == (1, before)
    assert "init --force" in refused.stderr
    assert call("init", "-f").exit_code == 0
    assert (folder / "autoscaler.yaml").read_text() != before


def test_init_says_why_it_cannot_write(call: Callable[..., Result], folder: Path) -> None:
    (folder / "autoscaler.yaml").unlink()
    (folder / "autoscaler.yaml").symlink_to(folder / "none" / "autoscaler.yaml")

    refused = call("init", "--force")

    assert (refused.exit_code, refused.stderr) == (1, "autoscaler.yaml cannot be written: No such file or directory\n")


def test_the_schema_is_json(call: Callable[..., Result]) -> None:
    schema = json.loads(call("schema").stdout)

    assert "formation" in schema["properties"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_the_script_of_a_shell(call: Callable[..., Result], shell: str) -> None:
    result = call("completion", shell)

    assert result.exit_code == 0
    assert f"_AUTOSCALER_COMPLETE={shell}_complete" in result.stdout


def test_commands_are_completed(folder: Path) -> None:
    environment = {**os.environ, "_AUTOSCALER_COMPLETE": "zsh_complete", "COMP_WORDS": "autoscaler sta", "COMP_CWORD": "1"}

    found = subprocess.run([Path(sys.executable).with_name("autoscaler")], cwd=folder, env=environment, capture_output=True, text=True, check=True)

    assert found.stdout.splitlines()[:2] == ["plain", "status"]
