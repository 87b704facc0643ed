"""The commands pause and resume, without a controller."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from autoscaler.clock import SystemClock
from autoscaler.pauses import Pauses


@pytest.fixture
def stored(folder: Path) -> Callable[[], dict[str, Any]]:
    """Read the pauses as they lie in the file."""
    pauses = Pauses(folder / "run", str(folder / "autoscaler.yaml"))
    return lambda: json.loads(pauses.path.read_text())["pauses"]


def test_pause_says_what_it_did_and_who_sees_it(call: Callable[..., Result], folder: Path) -> None:
    result = call("pause", "web", "--reason", "migration")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "web: paused: migration",
        f"no controller of this formation runs with {folder}/run; one started later with this folder acts on it",
    ]


@pytest.mark.parametrize(
    ("flags", "held"),
    [([], (True, True)), (["--scale-in"], (True, False)), (["--scale-out"], (False, True)), (["--scale-in", "--scale-out"], (True, True))],
)
def test_one_direction_can_be_held_back_alone(
    call: Callable[..., Result], stored: Callable[[], dict[str, Any]], flags: list[str], held: tuple[bool, bool]
) -> None:
    call("pause", "web", *flags)

    assert (stored()["web"]["scale_in"], stored()["web"]["scale_out"]) == held


def test_the_end_of_a_pause_is_stored_as_wall_time(call: Callable[..., Result], stored: Callable[[], dict[str, Any]]) -> None:
    before = SystemClock().wall()

    result = call("pause", "web", "--for", "2h")

    assert before + 7200 <= stored()["web"]["until"] <= SystemClock().wall() + 7200
    assert "web: paused until 2" in result.stdout


@pytest.mark.parametrize("duration", ["5", "soon", "-5m", "0s", "99999999999999d"])
def test_what_is_no_duration_is_refused(call: Callable[..., Result], duration: str) -> None:
    result = call("pause", "web", "--for", duration)

    assert result.exit_code == 2
    assert "write" in result.stderr


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_an_unknown_type_is_told_the_types_there_are(call: Callable[..., Result], command: str) -> None:
    result = call(command, "wbe")

    assert result.exit_code == 2
    assert "web, worker" in result.stderr


def test_resume_ends_the_pause(call: Callable[..., Result], stored: Callable[[], dict[str, Any]]) -> None:
    call("pause", "web")

    result = call("resume", "web")

    assert result.stdout.splitlines()[0] == "web: resumed"
    assert stored() == {}


def test_resume_of_what_was_not_paused_says_so(call: Callable[..., Result]) -> None:
    result = call("resume", "web")

    assert (result.exit_code, result.stdout) == (0, "web: was not paused by an operator; nothing to resume\n")


def test_a_pause_needs_no_secrets_and_no_good_file(call: Callable[..., Result], folder: Path, stored: Callable[[], dict[str, Any]]) -> None:
    with (folder / "autoscaler.yaml").open("a") as file:
        file.write("mistake: ${NOT_SET_HERE}\n")

    assert call("pause", "worker").exit_code == 0
    assert set(stored()) == {"worker"}


@pytest.mark.parametrize("text", ["formation: [", "formation: 3\n", "[]\n"])
def test_a_file_without_process_types_is_refused(call: Callable[..., Result], folder: Path, text: str) -> None:
    (folder / "autoscaler.yaml").write_text(text)

    result = call("pause", "web")

    assert result.exit_code == 2
    assert result.stderr.startswith("autoscaler.yaml:1:")


def test_a_procfile_alone_can_be_paused(call: Callable[..., Result], folder: Path) -> None:
    (folder / "autoscaler.yaml").unlink()
    (folder / "Procfile").write_text("web: sleep 1\n")

    assert call("pause", "web").exit_code == 0


def test_a_spoilt_file_is_named_with_its_fix(call: Callable[..., Result], folder: Path) -> None:
    call("pause", "web")
    (spoilt,) = (folder / "run").iterdir()
    spoilt.write_text("spoilt")

    result = call("pause", "web")

    assert result.exit_code == 1
    assert f"rm {spoilt}" in result.stderr
