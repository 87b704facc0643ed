"""The command status."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

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


class Handler(BaseHTTPRequestHandler):
    """Answers with what the test says, and keeps what it was asked."""

    body = b""
    asked: str | None = None

    def do_GET(self) -> None:
        type(self).asked = f"{self.path} {self.headers['Authorization']}"
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def handler(folder: Path) -> Iterator[type[Handler]]:
    """Serve on a loopback port, which the configuration of the folder names."""

    class Own(Handler):
        pass

    with HTTPServer(("127.0.0.1", 0), Own) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        text = (folder / "autoscaler.yaml").read_text()
        (folder / "autoscaler.yaml").write_text(text.replace("listen: null", f"listen: 127.0.0.1:{server.server_address[1]}"))
        yield Own
        server.shutdown()
        thread.join()


def test_every_type_and_metric_has_its_lines(call: Callable[..., Result], handler: type[Handler]) -> None:
    handler.body = json.dumps(ANSWER).encode()

    result = call("status")

    assert (result.exit_code, handler.asked) == (0, "/status None")
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


def test_a_terminal_gets_a_table(on_terminal: Callable[..., str], handler: type[Handler]) -> None:
    handler.body = json.dumps(ANSWER).encode()

    shown = on_terminal("status").splitlines()

    assert shown[1].split()[:6] == ["worker", "2", "1", "4", "0-9", "scale_out"]
    assert shown[1].split()[6:9] == ["1", "starting;", "80"]
    assert shown[-1] == "metric gone: missing: refused"


def test_json_is_the_answer_as_it_came(call: Callable[..., Result], handler: type[Handler]) -> None:
    handler.body = json.dumps(ANSWER).encode()

    assert json.loads(call("status", "--json").stdout) == ANSWER


def test_the_token_of_the_configuration_is_sent(
    call: Callable[..., Result], handler: type[Handler], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler.body = json.dumps(ANSWER).encode()
    monkeypatch.setenv("STATUS_TOKEN", "secret-enough")
    with (folder / "autoscaler.yaml").open("a") as file:
        file.write("listen_token: ${STATUS_TOKEN}\n")

    call("status")

    assert handler.asked == "/status Bearer secret-enough"


@pytest.mark.parametrize("body", [b"[]", b"{}", b"<html>", b""])
def test_another_program_on_the_port_is_told(call: Callable[..., Result], handler: type[Handler], body: bytes) -> None:
    handler.body = body

    result = call("status")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "no answer from a running controller" in result.stderr


def test_without_a_controller_the_pauses_are_shown(call: Callable[..., Result], folder: Path, free_port: int) -> None:
    text = (folder / "autoscaler.yaml").read_text().replace("listen: null", f"listen: 127.0.0.1:{free_port}")
    (folder / "autoscaler.yaml").write_text(text.replace("maximum: 9\n", "maximum: 9\n    pause_scale_out: true\n"))
    call("pause", "web", "--scale-in")

    result = call("status")

    assert (result.exit_code, result.stdout) == (1, "web: scale-in paused\nworker: paused by the configuration\n")
    assert "connection refused" in result.stderr


def test_a_controller_that_does_not_listen_cannot_be_asked(call: Callable[..., Result]) -> None:
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


def test_a_server_that_never_answers_is_given_up(call: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autoscaler.cli.status._TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        text = (folder / "autoscaler.yaml").read_text()
        (folder / "autoscaler.yaml").write_text(text.replace("listen: null", f"listen: 127.0.0.1:{silent.getsockname()[1]}"))

        assert call("status").exit_code == 1
