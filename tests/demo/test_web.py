import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

from autoscaler.demo.load import fetch
from autoscaler.demo.ports import find_free_port
from autoscaler.demo.web import Tally, passed_socket
from autoscaler.demo.work import REQUEST_SECONDS
from autoscaler.model import Address

HAND_OVER = """import os, sys
os.dup2({descriptor}, 3)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.executable, [sys.executable, "-m", "autoscaler.demo.web"])
"""


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def address(listener):
    return Address(*listener.getsockname())


@pytest.fixture
def start_web(listener):
    started = []

    def start():
        port = find_free_port()
        script = HAND_OVER.format(descriptor=listener.fileno())
        environment = {**os.environ, "LISTEN_FDS": "1", "METRICS_PORT": str(port)}
        started.append(subprocess.Popen([sys.executable, "-c", script], env=environment, pass_fds=[listener.fileno()]))
        return started[-1], port

    yield start
    for process in started:
        process.kill()
        process.wait()


def scrape(port):
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
                return dict(line.split() for line in page.read().decode().splitlines() if not line.startswith("#"))
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_request_takes_its_known_time(start_web, address):
    start_web()
    fetch(address)
    began = time.monotonic()
    assert fetch(address) == b"done\n"
    assert time.monotonic() - began >= REQUEST_SECONDS


def test_each_process_counts_its_own_requests(start_web, address):
    _, port = start_web()
    assert scrape(port)["demo_requests_total"] == "0"
    fetch(address)
    page = scrape(port)
    assert page["demo_requests_total"] == "1"
    assert float(page["demo_busy_seconds_total"]) >= REQUEST_SECONDS
    assert page["demo_requests_in_flight"] == "0"


def test_processes_share_the_requests_of_one_socket(start_web, address):
    ports = [start_web()[1] for _ in range(2)]
    for port in ports:
        scrape(port)
    threads = [threading.Thread(target=fetch, args=[address]) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = [int(scrape(port)["demo_requests_total"]) for port in ports]
    assert sum(counts) == 6
    assert min(counts) > 0


def test_a_process_told_to_stop_answers_the_request_in_hand(start_web, address):
    process, port = start_web()
    answers = []
    thread = threading.Thread(target=lambda: answers.append(fetch(address)))
    thread.start()
    while scrape(port)["demo_requests_in_flight"] == "0":
        pass
    process.send_signal(signal.SIGTERM)
    thread.join()
    assert process.wait(30) == 0
    assert answers == [b"done\n"]


def test_a_client_that_says_nothing_is_let_go(start_web, address):
    start_web()
    with socket.create_connection((address.host, address.port)):
        pass
    assert fetch(address) == b"done\n"


@pytest.mark.parametrize("environment", [{}, {"LISTEN_FDS": "1", "LISTEN_PID": "1"}, {"LISTEN_FDS": "2", "LISTEN_PID": "7"}])
def test_a_socket_meant_for_another_process_is_not_taken(environment):
    assert passed_socket(environment, pid=7) is None


def test_without_a_socket_the_process_says_what_it_needs():
    ended = subprocess.run([sys.executable, "-m", "autoscaler.demo.web"], capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 2
    assert "LISTEN_FDS=1" in ended.stderr


def test_the_page_tells_each_kind_of_metric():
    assert "# TYPE demo_requests_in_flight gauge\ndemo_requests_in_flight 1\n" in Tally(in_flight=1).page()
