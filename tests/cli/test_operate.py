"""An operator's commands and signals against a running controller."""

from __future__ import annotations

import json
import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result


@pytest.fixture
def listening(edit: Callable[[str, str], None], free_port: int) -> int:
    """Let the controller listen, and return its port."""
    edit("listen: null", f"listen: 127.0.0.1:{free_port}")
    return free_port


# Pause and status


@pytest.mark.usefixtures("listening")
def test_status_shows_what_the_controller_does(call: Callable[..., Result], running: Callable[..., Any], eventually: Callable[..., Any]) -> None:
    running()

    eventually(lambda: "worker: 3 desired, 3 running; target 3 of 1 to 9" in call("status").stdout.splitlines())

    assert call("status").exit_code == 0
    assert json.loads(call("status", "--json").stdout)["formation"]["web"]["target"] == 2


def test_a_pause_is_acted_on_at_the_next_tick(
    call: Callable[..., Result], running: Callable[..., Any], folder: Path, eventually: Callable[..., Any]
) -> None:
    run = running()

    said = call("pause", "worker", "--reason", "migration").stdout
    eventually(lambda: "worker: paused: migration" in run.log)
    (folder / "queue").write_text("180")
    held = eventually(lambda: re.search("hold worker at ([0-9]): .*migration", run.log))
    call("resume", "worker")
    eventually(lambda: f"scale_out worker {held[1]} -> " in run.log)

    assert "the running controller acts on it at its next tick" in said


def test_a_pause_survives_the_controller(call: Callable[..., Result], running: Callable[..., Any], eventually: Callable[..., Any]) -> None:
    call("pause", "worker", "--reason", "migration")

    run = running()

    eventually(lambda: "hold worker at 0" in run.log)
    assert "scale_out worker" not in run.log


def test_a_spoilt_pause_file_keeps_the_last_pauses(
    call: Callable[..., Result], running: Callable[..., Any], folder: Path, record: Callable[[], list[dict[str, Any]]], eventually: Callable[..., Any]
) -> None:
    call("pause", "worker")
    run = running("--record", "record")

    (spoilt,) = (folder / "run").glob("*.json")
    (folder / "spoilt").write_text("spoilt")
    (folder / "spoilt").replace(spoilt)  # at once: a file half written is spoilt in another way
    eventually(lambda: f"rm {spoilt}" in run.log)
    before = len(record())
    eventually(lambda: len(record()) > before + 6)

    assert run.log.count("rm ") == 1
    assert record()[-1]["target"] == 0


# Reload


def test_a_reload_takes_the_new_configuration(
    running: Callable[..., Any], edit: Callable[[str, str], None], record: Callable[[], list[dict[str, Any]]], eventually: Callable[..., Any]
) -> None:
    run = running("--record", "record")

    edit("minimum: 2", "minimum: 3")
    run.send(signal.SIGHUP)
    eventually(lambda: "scale_out web 2 -> 3" in run.log)

    assert "reloaded the configuration" in run.log
    assert [line["ok"] for line in record() if line["event"] == "reload"] == [True]


def test_a_bad_file_keeps_the_old_configuration_and_names_every_mistake(
    running: Callable[..., Any], edit: Callable[[str, str], None], record: Callable[[], list[dict[str, Any]]], eventually: Callable[..., Any]
) -> None:
    run = running("--record", "record")
    edit("minimum: 2", "minimum: 5")
    edit("maximum: 9", "maximun: 9")

    run.send(signal.SIGHUP)
    eventually(lambda: run.log.count("not reloaded, the old configuration stays: autoscaler.yaml:") >= 2)
    before = len(record())
    eventually(lambda: len(record()) > before + 4)

    assert [line["ok"] for line in record() if line["event"] == "reload"] == [False]
    assert {line["target"] for line in record()[-2:]} == {2, 3}
    run.send(signal.SIGTERM)
    assert run.wait() == 0


def test_a_reload_begins_a_record_that_was_rotated_away(
    running: Callable[..., Any], folder: Path, record: Callable[[], list[dict[str, Any]]], eventually: Callable[..., Any]
) -> None:
    run = running("--record", "record")
    (folder / "record").rename(folder / "record.1")

    run.send(signal.SIGHUP)
    eventually(lambda: (folder / "record").exists() and record())

    assert record()[0]["event"] == "start"


def test_a_reload_moves_the_listener(
    call: Callable[..., Result],
    running: Callable[..., Any],
    edit: Callable[[str, str], None],
    free_ports: Callable[[int], list[int]],
    eventually: Callable[..., Any],
) -> None:
    first, second = free_ports(2)
    edit("listen: null", f"listen: 127.0.0.1:{first}")
    run = running()
    edit(f":{first}", f":{second}")

    run.send(signal.SIGHUP)
    eventually(lambda: "reloaded" in run.log)

    assert call("status").exit_code == 0
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", first), 5):
        pass


def test_a_reload_to_a_port_in_use_keeps_the_old_one(
    call: Callable[..., Result], running: Callable[..., Any], edit: Callable[[str, str], None], listening: int, eventually: Callable[..., Any]
) -> None:
    run = running()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        edit(f":{listening}", f":{port}")
        run.send(signal.SIGHUP)
        eventually(lambda: "not reloaded" in run.log)
    edit(f":{port}", f":{listening}")

    assert "is taken by another program" in run.log
    assert call("status").exit_code == 0


@pytest.mark.usefixtures("listening")
def test_a_reload_that_cannot_connect_keeps_the_old_backend(
    running: Callable[..., Any], broken_backend: Callable[[str], None], call: Callable[..., Result], folder: Path, eventually: Callable[..., Any]
) -> None:
    run = running()
    before = (folder / "autoscaler.yaml").read_text()
    broken_backend("connect")
    (folder / "autoscaler.yaml").write_text((folder / "autoscaler.yaml").read_text().replace("listen: ", "listen: null # "))

    run.send(signal.SIGHUP)
    eventually(lambda: "the backend is away" in run.log)
    (folder / "autoscaler.yaml").write_text(before)

    assert "web: 2 desired" in call("status").stdout


def test_a_backend_that_leaves_with_a_reload_is_drained(running: Callable[..., Any], folder: Path, eventually: Callable[..., Any]) -> None:
    dry = (folder / "autoscaler.yaml").read_text()
    local = 'interval: 200ms\nlisten: null\nbackend: local\nformation:\n  web: {command: "echo up $$; exec sleep 1000", minimum: 1, maximum: 1}\n'
    (folder / "autoscaler.yaml").write_text(local)
    run = running()
    child = eventually(lambda: next((line.split()[-1] for line in run.output.splitlines() if " up " in line), None))
    (folder / "autoscaler.yaml").write_text(dry)

    run.send(signal.SIGHUP)

    eventually(lambda: not Path(f"/proc/{child}").exists())
    assert "reloaded the configuration" in run.log
