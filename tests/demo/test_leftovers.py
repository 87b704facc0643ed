import os
import subprocess
import sys

import pytest

from autoscaler.demo.configuration import MARKER
from autoscaler.demo.leftovers import end_marked, find_marked


@pytest.fixture
def token():
    return os.urandom(8).hex()


@pytest.fixture
def left_behind(token):
    process = subprocess.Popen([sys.executable, "-c", "input()"], env={**os.environ, MARKER: token}, stdin=subprocess.PIPE)
    yield process
    process.stdin.close()
    process.kill()
    process.wait()


def test_a_marked_process_is_found(left_behind, token):
    assert find_marked(token) == (left_behind.pid,)


def test_processes_of_another_run_are_not_touched(left_behind):
    assert end_marked("another run") == 0
    assert left_behind.poll() is None


def test_a_process_left_behind_is_counted_and_killed(left_behind, token, monkeypatch):
    monkeypatch.setattr("autoscaler.demo.leftovers._PATIENCE_SECONDS", 0.1)
    assert end_marked(token) == 1
    assert left_behind.wait(30) < 0


def test_a_process_that_is_about_to_end_is_waited_for(left_behind, token):
    left_behind.stdin.write(b"\n")
    left_behind.stdin.flush()
    assert end_marked(token) == 0


def test_a_zombie_is_no_process(left_behind, token):
    left_behind.kill()
    os.waitid(os.P_PID, left_behind.pid, os.WEXITED | os.WNOWAIT)
    assert find_marked(token) == ()
