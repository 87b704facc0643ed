"""The command status."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest
from click.testing import Result

from autoscaler.cli.status import _url
from autoscaler.model import Address
from autoscaler.settings import Listen

COUNTS = {"desired": 2, "running": 1, "starting": 1, "draining": 0, "failed": 0, "unknown": 0}
BUSY = {
    "counts": COUNTS,
    "target": 4,
    "minimum": 0,
    "maximum": 9,
    "is_crash_looping": True,
    "paused": {"scale_out": False, "scale_in": True, "reason": "migration"},
    "notes": ["worker.1 ignores TERM"],
    "error": "not scaled: no memory",
    "decision": {"action": "scale_out", "reason": "80 waiting"},
}
UNSEEN = {**BUSY, "counts": None, "target": None, "decision": None, "paused": None, "notes": [], "is_crash_looping": False, "error": None}
METRICS = {"queue": {"value": 80.0, "age_seconds": 0.44, "cause": None}, "gone": {"value": None, "age_seconds": None, "cause": "refused"}}
ANSWER = {"formation": {"worker": BUSY, "web": UNSEEN}, "metrics": METRICS}


class Page(Protocol):
    """The page that the address of the configuration answers with, and what it was asked."""

    body: bytes
    asked: str
    port: int


@pytest.fixture(autouse=True)
def own_address(page: Page, edit: Callable[[str, str], None]) -> None:
    edit("listen: null", f"listen: 127.0.0.1:{page.port}")


def test_every_type_and_metric_has_its_lines(call: Callable[..., Result], page: Page) -> None:
    page.body = json.dumps(ANSWER).encode()

    result = call("status")

    assert (result.exit_code, page.asked) == (0, "/status None")
    assert result.stdout.splitlines() == [
        "worker: 2 desired, 1 running, 1 starting; target 4 of 0 to 9",
        "worker: scale_out: 80 waiting",
        "worker: scale-in paused: migration",
        "worker: crash looping",
        "worker: not scaled: no memory",
        "worker: worker.1 ignores TERM",
        "web: not observed; target ? of 0 to 9",
        "metric queue: 80, 0.4 s old",
        "metric gone: missing: refused",
    ]


def test_a_terminal_gets_a_table(on_terminal: Callable[..., str], page: Page) -> None:
    page.body = json.dumps(ANSWER).encode()

    shown = on_terminal("status").splitlines()

    assert shown[1].split()[:6] == ["worker", "2", "1", "4", "0-9", "scale_out"]
    assert shown[1].split()[6:9] == ["1", "starting;", "80"]
    assert shown[-1] == "metric gone: missing: refused"


def test_json_is_the_answer_as_it_came(call: Callable[..., Result], page: Page) -> None:
    page.body = json.dumps(ANSWER).encode()

    assert json.loads(call("status", "--json").stdout) == ANSWER


def test_the_token_of_the_configuration_is_sent(call: Callable[..., Result], page: Page, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page.body = json.dumps(ANSWER).encode()
    monkeypatch.setenv("STATUS_TOKEN", "secret-enough")
    with (folder / "autoscaler.yaml").open("a") as file:
        file.write("listen_token: ${STATUS_TOKEN}\n")

    call("status")

    assert page.asked == "/status Bearer secret-enough"


@pytest.mark.parametrize("body", [b"[]", b"{}", b"<html>", b""])
def test_another_program_on_the_port_is_told(call: Callable[..., Result], page: Page, body: bytes) -> None:
    page.body = body

    result = call("status")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "no answer from a running controller" in result.stderr


def test_without_a_controller_the_pauses_are_shown(call: Callable[..., Result], edit: Callable[[str, str], None], page: Page, free_port: int) -> None:
    edit(str(page.port), str(free_port))
    edit("maximum: 9\n", "maximum: 9\n    pause_scale_out: true\n")
    call("pause", "web", "--scale-in")

    result = call("status")

    assert (result.exit_code, result.stdout) == (1, "web: scale-in paused\nworker: paused by the configuration\n")
    assert "connection refused" in result.stderr


def test_a_controller_that_does_not_listen_cannot_be_asked(call: Callable[..., Result], edit: Callable[[str, str], None], page: Page) -> None:
    edit(f"listen: 127.0.0.1:{page.port}", "listen: null")

    result = call("status")

    assert result.exit_code == 1
    assert "listen: null" in result.stderr


@pytest.mark.parametrize(
    ("host", "certificate", "url"),
    [
        ("0.0.0.0", None, "http://127.0.0.1:8/status"),  # noqa: S104 - not listened on
        ("::", Path("a.pem"), "https://[::1]:8/status"),
        ("10.0.0.1", None, "http://10.0.0.1:8/status"),
    ],
)
def test_a_wildcard_is_asked_on_loopback(host: str, certificate: Path | None, url: str) -> None:
    assert _url(Listen(address=Address(host, 8), certificate=certificate)) == url


def test_a_server_that_never_answers_is_given_up(
    call: Callable[..., Result], edit: Callable[[str, str], None], page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autoscaler.cli.status._TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        edit(str(page.port), str(silent.getsockname()[1]))

        assert call("status").exit_code == 1
