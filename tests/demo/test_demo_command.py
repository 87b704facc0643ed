import json
import math
import os
import pty
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

MARKER = "DEMO_TEST"
COMMAND = [sys.executable, "-m", "autoscaler", "demo"]


class Demo:
    """Starts the command so that everything of it can be found again."""

    def __init__(self, folder):
        self.folder = folder
        self.token = os.urandom(8).hex()
        self.environment = os.environ | {MARKER: self.token, "TMPDIR": str(folder)}

    def start(self, *arguments, **streams):
        return subprocess.Popen([*COMMAND, *arguments], env=self.environment, **{"stdin": subprocess.DEVNULL, **streams})

    def living(self):
        wanted = f"{MARKER}={self.token}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdecimal() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
        return found

    def wait_for_children(self, least=3):
        """Wait for the demo and ``least - 1`` of its children."""
        deadline = time.monotonic() + 60
        while len(self.living()) < least:
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture
def demo(tmp_path):
    demo = Demo(tmp_path)
    yield demo
    left = demo.living()
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []
    assert list(tmp_path.iterdir()) == []


def test_both_types_scale_out_and_in_for_checkable_reasons(demo):
    process = demo.start("--json", "--seconds", "24", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    output, said = process.communicate(timeout=110)
    start, *lines, summary = map(json.loads, output.splitlines())
    decisions = [line for line in lines if line["event"] == "decision"]
    assert (process.returncode, said) == (0, "")
    assert (start["event"], sorted(start["configuration"]["formation"])) == ("start", ["web", "worker"])
    for process_type in ("web", "worker"):
        changes = [line for line in decisions if line["process_type"] == process_type and line["readings"]]
        assert {"scale_out", "scale_in"} <= {line["action"] for line in changes}
        assert summary["types"][process_type]["scale_ins"] == sum(line["action"] == "scale_in" for line in changes)
    check_with_a_pencil(decisions)
    check_summary(summary)


def check_with_a_pencil(decisions):
    """Compute again what the reasons say, from the readings beside them."""
    wishes = [(line["readings"], wish) for line in decisions for wish in line["recommendations"] if line["readings"]]
    checked = set()
    for readings, wish in wishes:
        if waiting := re.fullmatch(r"(\d+) waiting / \(2.5/s x 2 s\) = [\d.]+ -> (\d+)", wish["reason"]):
            assert math.ceil(readings["jobs_waiting"]["value"] / 5) == int(waiting[2]) == wish["processes"]
            checked.add("backlog")
        if rate := re.fullmatch(r"([\d.]+) over (\d+) process(?:es)? / 7 each = [\d.]+ -> (\d+)", wish["reason"]):
            shares = readings["requests_per_second"]["by_process"]
            assert len(shares) == int(rate[2])
            assert math.ceil(sum(shares.values()) / 7) == int(rate[3]) == wish["processes"]
            checked.add("target")
    assert checked == {"backlog", "target"}


def check_summary(summary):
    assert set(summary) == {
        "event", "seconds", "types", "jobs_done", "job_wait_seconds", "requests_answered", "requests_failed", "response_seconds", "children_left"
    }  # fmt: skip
    assert summary["event"] == "summary"
    assert summary["children_left"] == 0
    assert summary["jobs_done"] > 0
    assert summary["requests_answered"] > 0
    assert 0 <= summary["job_wait_seconds"]["p50"] <= summary["job_wait_seconds"]["p95"]
    for usage in summary["types"].values():
        assert 0 < usage["process_seconds"] < usage["fixed_process_seconds"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_leaves_nothing(demo, number):
    process = demo.start("--plain", stdout=subprocess.PIPE, text=True)
    demo.wait_for_children()
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "nothing is left running" in output


def test_a_signal_at_the_very_start_leaves_nothing(demo):
    process = demo.start("--json", stdout=subprocess.DEVNULL)
    demo.wait_for_children(least=1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) in {0, -signal.SIGTERM}  # the latter before the command was even loaded


def test_a_reader_that_has_seen_enough_ends_it(demo):
    process = demo.start("--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 0


def test_a_killed_child_is_replaced_and_disturbs_nothing(demo):
    process = demo.start("--json", stdout=subprocess.DEVNULL)
    demo.wait_for_children()
    child = next(pid for pid in demo.living() if pid != process.pid)
    os.kill(child, signal.SIGKILL)
    demo.wait_for_children()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_closed_standard_streams_do_no_harm(demo):
    command = ["sh", "-c", 'exec "$@" <&- >&-', "sh", *COMMAND, "--json"]
    process = subprocess.Popen(command, env=demo.environment)
    demo.wait_for_children()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_a_lost_queue_is_told_in_a_sentence(demo):
    process = demo.start("--json", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    demo.wait_for_children()
    for queue in demo.folder.glob("*/jobs.db*"):
        queue.unlink()
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.startswith("the demo cannot run: unable to open database file")


def test_a_terminal_shows_a_table(demo):
    keyboard, terminal = pty.openpty()
    process = demo.start(stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    seen = read_until(keyboard, "load: ")
    demo.wait_for_children()
    process.send_signal(signal.SIGINT)
    seen += read_until(keyboard, "nothing is left running")
    assert process.wait(60) == 0
    os.close(keyboard)
    assert "process type" in seen


def read_until(descriptor, text):
    seen = ""
    while text not in seen:
        seen += os.read(descriptor, 65536).decode(errors="replace")
    return seen


@pytest.mark.parametrize("seconds", ["0", "19", "3601"])
def test_a_length_that_cannot_work_is_refused(demo, seconds):
    process = demo.start("--seconds", seconds, stderr=subprocess.PIPE, text=True)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert f"{seconds} is not from 20 to 3600" in said
