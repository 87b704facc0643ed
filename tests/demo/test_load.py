import http.client
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event

import pytest

from autoscaler.demo.curve import Curve
from autoscaler.demo.jobs import Jobs, create
from autoscaler.demo.load import Load, fetch
from autoscaler.demo.ports import find_free_port
from autoscaler.model import Address


class Page(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b"done\n")

    def log_message(self, *_):
        pass


@pytest.fixture
def page():
    return type("OwnPage", (Page,), {})


@pytest.fixture
def address(page):
    with ThreadingHTTPServer(("127.0.0.1", 0), page) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield Address(*server.server_address)
        server.shutdown()
        thread.join()


@pytest.fixture
def path(tmp_path):
    create(tmp_path / "jobs.db")
    return tmp_path / "jobs.db"


def count_jobs(path):
    with Jobs(path) as jobs:
        return jobs._connection.execute("select count(*) from jobs").fetchone()[0]


def test_everything_on_the_curve_is_offered(address, path):
    curve, finished = Curve(1.0), Event()
    load = Load(curve, address, path, finished.set)
    load.start()
    load.join()
    assert finished.is_set()
    assert load.fault is None
    assert len(load.offered.response_seconds) == len(curve.request_times())
    assert count_jobs(path) == len(curve.job_times())


def test_requests_that_nobody_answers_are_counted(path):
    curve = Curve(1.0)
    load = Load(curve, Address("127.0.0.1", find_free_port()), path, Event().set)
    load.start()
    load.join()
    assert len(load.offered.failures) == len(curve.request_times())
    assert load.offered.failures[0].startswith("ConnectionRefusedError")


def test_a_load_told_to_stop_leaves_the_rest(address, path):
    load = Load(Curve(3600.0), address, path, Event().set)
    load.start()
    load.stop()
    load.join()
    assert len(load.offered.response_seconds) < 10


def test_a_load_without_its_queue_says_so_and_ends(address, tmp_path):
    finished = Event()
    load = Load(Curve(60.0), address, tmp_path / "nowhere.db", finished.set)
    load.start()
    load.join()
    assert finished.is_set()
    assert load.fault == "the load stopped: unable to open database file"


def test_a_response_time_counts_from_when_the_request_was_due(address, path):
    load = Load(Curve(1.0), address, path, Event().set)
    load._ask(time.monotonic() - 5.0)
    assert load.offered.response_seconds[0] >= 5.0


def test_a_page_with_an_error_is_no_answer(address, page):
    page.status = 500
    with pytest.raises(http.client.HTTPException, match="status 500"):
        fetch(address)
