"""The example that a new user copies, run as a user runs it, on free ports and with short windows."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from autoscaler.demo.ports import find_free_port, find_free_ports

EXAMPLE = Path(__file__).parents[2] / "examples" / "quickstart"
MARKER = "QUICKSTART_TEST"
WINDOW_SECONDS = 3
DEADLINE_SECONDS = 60


class Quickstart:
    """A copy of the example with a controller that runs it."""

    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "autoscaler.yaml"
        self.url = f"http://127.0.0.1:{find_free_port()}"
        self.token = os.urandom(8).hex()
        python = Path(sys.executable).parent
        own = {MARKER: self.token, "RUNTIME_DIRECTORY": str(folder / "run"), "PATH": f"{python}:{os.environ['PATH']}"}
        self.environment = os.environ | own
        shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
        self._shorten()
        # The metrics read the queue through a link, so that a test can take it away without disturbing the app.
        self.queue = folder / "queue.db"
        self.queue.symlink_to("jobs.db")

    def _shorten(self):
        first = find_free_ports(310)
        self.change("local: {procfile: Procfile}", f"local: {{procfile: Procfile, port: {first}, metrics_port: {first + 200}}}")
        self.change("127.0.0.1:9797", f"127.0.0.1:{find_free_port()}")
        self.change("127.0.0.1:8000", self.url.removeprefix("http://"))
        self.change("stabilization: 10s, at_most: [50% per 5s]", f"stabilization: {WINDOW_SECONDS}s, at_most: [50% per 1s]")
        self.change("    every: 1s\n", "    every: 1s\n    max_age: 3s\n")
        self.change("every: 1s}", "every: 1s, max_age: 3s}")
        self.change("sqlite:///jobs.db", "sqlite:///queue.db")

    def change(self, before, after):
        text = self.file.read_text()
        assert before in text
        self.file.write_text(text.replace(before, after))

    def start(self):
        command = [sys.executable, "-m", "autoscaler", "run", "-c", self.file, "--record", self.folder / "record"]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def command(self, *arguments):
        command = [sys.executable, "-m", "autoscaler", *arguments, "-c", self.file]
        return subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True, timeout=DEADLINE_SECONDS).stdout

    def lines(self):
        whole = (self.folder / "record").read_bytes().rpartition(b"\n")[0] if (self.folder / "record").exists() else b""
        return [json.loads(line) for line in whole.splitlines()]

    def decisions(self, process_type=None):
        return [line for line in self.lines() if line["event"] == "decision" and process_type in {None, line["process_type"]}]

    def wait(self, holds):
        """Return what ``holds()`` says as soon as it is true."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not (found := holds()):
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)
        return found

    def wait_for_size(self, process_type, least):
        self.wait(lambda: self.decisions(process_type)[-1:] and self.decisions(process_type)[-1]["observed"]["running"] >= least)

    def log(self):
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def living(self, name=""):
        """Return the processes of this test, those of one name or all, the controller included."""
        wanted = {f"{MARKER}={self.token}".encode()} | ({f"PS={name}".encode()} if name else set())
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdecimal() and wanted <= set((entry / "environ").read_bytes().split(b"\0")):
                    found.append(int(entry.name))
        return found

    @contextmanager
    def load(self):
        """Ask for as much as three web processes answer, a third of it jobs."""
        stop = threading.Event()

        def ask(path, data, pause_seconds):
            while not stop.wait(pause_seconds):
                with suppress(OSError), urllib.request.urlopen(self.url + path, data, timeout=5) as page:  # noqa: S310 - loopback
                    page.read()

        threads = [threading.Thread(target=ask, args=call) for call in [("/", None, 0.05)] * 2 + [("/jobs", b"", 0.15)] * 2]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    @contextmanager
    def silent_web(self):
        """Stop the web processes, those too that are just starting; the call that is yielded stops newer ones."""
        stopped = set()

        def stop():
            for pid in {pid for number in range(1, 7) for pid in self.living(f"web.{number}")} - stopped:
                os.kill(pid, signal.SIGSTOP)
                stopped.add(pid)
            return True

        try:
            yield stop
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)

    def is_missing_for(self, process_type, ticks):
        lines = self.decisions(process_type)[-ticks:]
        return len(lines) == ticks and all(line["missing"] for line in lines)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_SECONDS)


@pytest.fixture
def app(tmp_path):
    app = Quickstart(tmp_path)
    app.start()
    yield app
    if app.process.poll() is None:
        assert app.end() == 0, app.log()
    assert app.living() == []


def test_it_scales_out_and_in_under_its_own_load(app):
    app.wait_for_size("web", 1)
    load = subprocess.run([sys.executable, app.folder / "load.py", "15", app.url], check=True, capture_output=True, text=True, timeout=120)
    sent, answered = load.stdout.split()[2], load.stdout.split()[0]
    assert sent == answered
    for process_type in ("web", "worker"):
        for action in ("scale_out", "scale_in"):
            app.wait(lambda kind=process_type, action=action: action in [line["action"] for line in app.decisions(kind)])
        explained = [line for line in app.decisions(process_type) if line["action"] == "scale_out" and line["readings"]]
        assert explained[0]["observed"]["running"] == 1
        assert "->" in explained[0]["reason"]


def test_lost_metrics_that_come_back_make_no_cliff(app):
    with app.load():
        app.wait_for_size("web", 2)
        app.wait_for_size("worker", 2)
        before = len(app.decisions())
        app.queue.unlink()
        with app.silent_web() as is_silent:
            app.wait(lambda: is_silent() and all(app.is_missing_for(kind, ticks=6) for kind in ("web", "worker")))
        app.queue.symlink_to("jobs.db")
        app.wait(lambda: all(not any(line["missing"] for line in app.decisions(kind)[-3:]) for kind in ("web", "worker")))
    assert_no_cliff(app.decisions("web")[before // 2 :])
    assert_no_cliff(app.decisions("worker")[before // 2 :])


def assert_no_cliff(lines):
    """Nothing is scaled in without metrics, nor before a whole window with them."""
    gone = [line["now"] for line in lines if line["missing"]]
    assert gone
    until = gone[-1] + WINDOW_SECONDS
    assert [line["reason"] for line in lines if line["action"] == "scale_in" and line["now"] < until] == []


def test_a_broken_file_on_reload_keeps_the_old_one(app):
    app.wait_for_size("web", 1)
    app.change("minimum: 1\n    maximum: 6", "minimum: 7\n    maximum: 6")
    app.process.send_signal(signal.SIGHUP)
    app.wait(lambda: "minimum: 7 is above maximum 6" in app.log())
    seen = len(app.decisions("web"))
    app.wait(lambda: len(app.decisions("web")) > seen + 1)
    app.change("minimum: 7\n    maximum: 6", "minimum: 2\n    maximum: 6")
    app.process.send_signal(signal.SIGHUP)
    app.wait_for_size("web", 2)


def test_a_paused_type_stays_while_the_other_scales(app):
    app.wait_for_size("web", 1)
    app.command("pause", "web", "--reason", "a look at web.1")
    app.wait(lambda: any(line["event"] == "pause" for line in app.lines()))
    with app.load():
        app.wait_for_size("worker", 2)
        app.wait(lambda: any("paused: a look at web.1" in line["reason"] for line in app.decisions("web") if line["action"] == "hold"))
        assert {line["target"] for line in app.decisions("web")} == {1}
        app.command("resume", "web")
        app.wait_for_size("web", 2)


def test_term_in_the_middle_of_a_scale_out_ends_everything(app):
    with app.load():
        app.wait(lambda: app.decisions("worker")[-1:] and app.decisions("worker")[-1]["target"] > 1)
        assert app.end() == 0
    assert app.living() == []
