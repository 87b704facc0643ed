"""A web type at zero costs nothing, and the first request starts its process and is answered by it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from autoscaler.demo.ports import find_free_port, find_free_ports

DEADLINE_SECONDS = 60

APP = """
import os, signal, socket, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class App(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{os.getpid()}".encode())

    def log_message(self, *_):
        pass

assert os.environ["LISTEN_FDS"] == "1" and os.environ["LISTEN_PID"] == str(os.getpid())
server = ThreadingHTTPServer(("127.0.0.1", 0), App, bind_and_activate=False)
server.socket.close()
server.socket = socket.socket(fileno=3)
server.socket.setblocking(False)
server.daemon_threads = False
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever(poll_interval=0.05)
server.server_close()
"""

CONFIGURATION = """
interval: {interval}
listen: null
backend: {{local: {{port: {port}, metrics_port: {metrics_port}}}}}
metrics:
  load: {{file: {{path: load}}, every: 1s, max_age: 1h}}
formation:
  web:
    command: {python} app.py
    socket: shared
    listen: {address}
    startup: 200ms
    minimum: 0
    maximum: 3
    scale_in: {{stabilization: 2s, at_most: [100% per 1s]}}
    policies: [target: {{metric: load, per_process: 1}}]
"""


class FromZero:
    """A controller that runs the app, at the interval it is given."""

    def __init__(self, folder):
        self.folder = folder
        self.address = f"127.0.0.1:{find_free_port()}"
        (folder / "app.py").write_text(APP)
        (folder / "load").write_text("0")

    def start(self, interval):
        first = find_free_ports(110)
        text = CONFIGURATION.format(interval=interval, port=first, metrics_port=first + 105, python=sys.executable, address=self.address)
        (self.folder / "autoscaler.yaml").write_text(text)
        command = [sys.executable, "-m", "autoscaler", "run", "-c", self.folder / "autoscaler.yaml", "--record", self.folder / "record"]
        environment = os.environ | {"RUNTIME_DIRECTORY": str(self.folder / "run")}
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait(lambda: len(self.lines("decision")) >= 2)  # those of the start

    def wait(self, holds):
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not holds():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)

    def log(self):
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def lines(self, event):
        whole = (self.folder / "record").read_bytes().rpartition(b"\n")[0] if (self.folder / "record").exists() else b""
        return [line for line in map(json.loads, whole.splitlines()) if line["event"] == event]

    def observed(self):
        return [line["observed"] for line in self.lines("decision")]

    def wait_until_ran(self, running):
        self.wait(lambda: any(counts["running"] == running for counts in self.observed()))

    def wait_until_none_is_left(self):
        self.wait(lambda: not any(self.observed()[-1].values()))

    def ask(self):
        """Return who answered: its pid."""
        with urllib.request.urlopen(f"http://{self.address}/", timeout=DEADLINE_SECONDS) as page:
            return int(page.read())

    def ask_side_by_side(self, count):
        with ThreadPoolExecutor(count) as pool:
            return [answer.result() for answer in [pool.submit(self.ask) for _ in range(count)]]

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_SECONDS)


@pytest.fixture
def app(tmp_path):
    app = FromZero(tmp_path)
    yield app
    assert app.end() == 0, app.log()


def test_the_first_requests_start_one_process_long_before_the_next_interval(app):
    app.start("30s")
    began = time.monotonic()
    answered_by = app.ask_side_by_side(5)

    assert len(set(answered_by)) == 1
    assert time.monotonic() - began < 15  # the interval may be anywhere, but its next tick is twice as far
    assert [line["target"] for line in app.lines("decision")][:3] == [0, 0, 1]
    assert [line["called"] for line in app.lines("called")] == [True]


def test_it_goes_back_to_zero_and_is_started_again(app):
    app.start("1s")
    first = app.ask()
    app.wait_until_ran(1)
    app.wait_until_none_is_left()
    second = app.ask()

    assert first != second
    assert not os.path.exists(f"/proc/{first}")  # noqa: PTH110 - of the kernel, no file of ours


def test_load_on_a_type_at_zero_starts_it_as_before(app):
    app.start("1s")
    (app.folder / "load").write_text("2")
    app.wait_until_ran(2)

    assert app.lines("called") == []
