"""A folder with a configuration, commands called in it, and controllers started in it."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import IO, Any

import pytest
from click.testing import CliRunner, Result

from autoscaler.cli.main import program

CONFIGURATION = """\
interval: 200ms
listen: null
backend: dry_run
metrics:
  queue: {file: {path: queue}, every: 200ms}
formation:
  web: {minimum: 2, maximum: 4}
  worker:
    minimum: 1
    maximum: 9
    policies: [{backlog: {waiting: queue, per_process: 20}}]
"""


BROKEN = """\
from dataclasses import dataclass
from autoscaler.act.backend import BackendError
from autoscaler.model import Address, Counts, Formation, Process, TypeFormation

@dataclass(frozen=True, slots=True)
class Broken:
    at: str = "observe"
    port: int = 0

    def connect(self, process_types, previous):
        return self.observer(process_types)

    def observer(self, process_types):
        if self.at == "connect":
            raise BackendError("the backend is away; start it")
        return self

    def observe(self):
        if self.port:
            process = Process("worker.1", "running", Address("127.0.0.1", self.port))
            return Formation({name: TypeFormation(Counts(1, 1), (process,)) for name in ("web", "worker")})
        raise BackendError("the backend is away; start it")

    def close(self, hurry):
        pass
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, which holds a configuration and the backlog it reads: 45."""
    (tmp_path / "autoscaler.yaml").write_text(CONFIGURATION)
    (tmp_path / "queue").write_text("45\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "run"))
    monkeypatch.delenv("AUTOSCALER_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def record(folder: Path) -> Callable[[], list[dict[str, Any]]]:
    """Read the whole lines of the record."""
    return lambda: [json.loads(line) for line in (folder / "record").read_text().splitlines(keepends=True) if line.endswith("\n")]


@pytest.fixture
def edit(folder: Path) -> Callable[[str, str], None]:
    """Replace a text of the configuration."""

    def replace(old: str, new: str) -> None:
        text = (folder / "autoscaler.yaml").read_text()
        assert old in text
        (folder / "autoscaler.yaml").write_text(text.replace(old, new, 1))

    return replace


@pytest.fixture
def call(folder: Path) -> Callable[..., Result]:
    """Call a command in this process, in the folder."""
    del folder
    return lambda *arguments: CliRunner().invoke(program, [str(argument) for argument in arguments], prog_name="autoscaler")


@pytest.fixture
def on_terminal(folder: Path) -> Callable[..., str]:
    """Run a command on a terminal 200 columns wide, and return what it shows."""

    def run(*arguments: str) -> str:
        ours, theirs = pty.openpty()
        environment = {**os.environ, "COLUMNS": "200", "TERM": "dumb"}
        subprocess.run(
            [sys.executable, "-m", "autoscaler", *arguments], cwd=folder, stdout=theirs, stderr=subprocess.DEVNULL, env=environment, check=True
        )
        shown = os.read(ours, 10_000).decode()
        os.close(ours)
        os.close(theirs)
        return shown

    return run


@pytest.fixture
def broken_backend(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Install a backend that fails, and return what puts it into the configuration, to fail at ``connect`` or ``observe``."""
    information = folder / "broken-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (information / "entry_points.txt").write_text("[autoscaler.backends]\nbroken = broken_backend:Broken\n")
    (folder / "broken_backend.py").write_text(BROKEN)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))

    def configure(at: str) -> None:
        text = (folder / "autoscaler.yaml").read_text()
        (folder / "autoscaler.yaml").write_text(text.replace("backend: dry_run", f"backend: {{broken: {{at: {at}}}}}"))

    return configure


class Page(BaseHTTPRequestHandler):
    """Answers with what a test says, and keeps what it was asked."""

    body = b""
    asked = ""
    port = 0

    def do_GET(self) -> None:
        type(self).asked = f"{self.path} {self.headers['Authorization']}"
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def page() -> Iterator[type[Page]]:
    """Serve one page on a loopback port."""

    class Own(Page):
        pass

    with HTTPServer(("127.0.0.1", 0), Own) as server:
        Own.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Own
        server.shutdown()
        thread.join()


@dataclass
class Started:
    """A program under test, its standard streams in files."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def output(self) -> str:
        return (self.folder / "stdout").read_text()

    @property
    def log(self) -> str:
        return (self.folder / "stderr").read_text()

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        return self.process.wait(30)


@dataclass
class Starter:
    """Starts programs in a folder, and ends those that a test leaves."""

    folder: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __call__(self, *arguments: object, **streams: int | IO[bytes] | None) -> Started:
        with (self.folder / "stdout").open("wb") as output, (self.folder / "stderr").open("wb") as log:
            chosen = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": log, **streams}
            command = [sys.executable, "-m", "autoscaler", *map(str, arguments)]
            process = subprocess.Popen(command, cwd=self.folder, env=dict(os.environ), **chosen)  # type: ignore[call-overload]  # by keyword
        self.started.append(process)
        return Started(process, self.folder)


@pytest.fixture
def start(folder: Path) -> Iterator[Starter]:
    """Start `autoscaler` as a program, in the folder."""
    starter = Starter(folder)
    yield starter
    for process in starter.started:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


@pytest.fixture
def running(start: Starter, eventually: Callable[..., object]) -> Callable[..., Started]:
    """Start `autoscaler run`, and wait until it has scaled out once."""

    def run(*arguments: object, **streams: int | IO[bytes] | None) -> Started:
        started = start("run", "--log-format", "console", *arguments, **streams)
        eventually(lambda: "scale_out" in started.log)
        return started

    return run
