"""What a manager answers instead of what was asked for, in the words of engines, proxies and what is none."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote_plus

import pytest

from autoscaler.act.swarm import Swarm
from autoscaler.model import Counts
from tests.act.swarm.conftest import Services

NO_MANAGER = "This node is not a swarm manager. "
NO_LEADER = "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are online."
LOCKED = 'Swarm is encrypted and needs to be unlocked before it can be used. Please use "docker swarm unlock" to unlock it.'


class Stub(ThreadingHTTPServer):
    """An engine that answers each path with what a test gave it; a page of None is no answer at all."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.version: str | None = "1.41"
        self.headers: dict[str, str] = {}
        self.pages: dict[str, tuple[int, object] | None] = {"/services": (200, [web()]), "/tasks": (200, []), "/nodes": (200, [])}
        self.asked: list[str] = []
        self.written: list[tuple[str, dict]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Stub

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.server.written.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        self._answer()

    def _answer(self) -> None:
        self.server.asked.append(self.path)
        path, _, query = self.path.partition("?")
        unfiltered = self.server.pages.get(f"{path}, all") if not query else None
        found = unfiltered or self.server.pages.get(path, (404, {"message": "page not found"}))
        if found is None:
            self.close_connection = True
            return
        body = found[1] if isinstance(found[1], bytes) else json.dumps(found[1]).encode()
        self.send_response(found[0])
        version = {"Api-Version": self.server.version} if self.server.version else {}
        for name, value in {**version, **self.server.headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def web(replicas=1, version=5, number=1):
    spec = {"Name": "web" if number == 1 else f"web{number}", "Mode": {"Replicated": {"Replicas": replicas}}}
    return {"ID": f"s{number}", "Version": {"Index": version}, "Spec": spec}


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def services(stub, eventually):
    made = Services(Swarm(address=stub.address), eventually).connect()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("status", "message", "words"),
    [
        (503, NO_MANAGER + "Worker nodes can't be used to view or modify cluster state.", "it is a worker of its swarm, and only a manager knows"),
        (503, NO_MANAGER + 'Use "docker swarm init" or "docker swarm join" to connect', "it is not part of a swarm; run docker swarm init"),
        (503, LOCKED, "its swarm is locked; run docker swarm unlock there"),
        (500, NO_LEADER, "its swarm has no leader; more than half of its managers must be up"),
        (403, "authorization denied by plugin", "answered 403 Forbidden: authorization denied by plugin; let GET /services pass"),
        (500, "something new", "answered 500 Internal Server Error: something new"),
    ],
)
def test_every_refusal_of_a_manager_is_a_sentence_with_its_host(stub, services, status, message, words):
    stub.pages["/services"] = (status, {"message": message})
    services.eventually(services.trouble)
    assert words in services.trouble()
    assert services.trouble().startswith(stub.address.removeprefix("http://"))


def test_a_socket_that_an_engine_left_behind_is_said_so(tmp_path, eventually):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "docker.sock"))
    services = Services(Swarm(address=f"unix://{tmp_path}/docker.sock"), eventually).connect()
    assert services.eventually(services.trouble) == f"nothing listens at the socket {tmp_path}/docker.sock; start the Docker Engine"
    services.close()


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (None, "is no Docker Engine: it does not say which version of the API it speaks"),
        ("x", "is no Docker Engine"),
        ("1.40", "speaks version 1.40 of the Docker Engine's API; 1.41 (Docker 20.10) or newer is needed"),
    ],
)
def test_what_is_no_engine_or_an_old_one_is_said_so(stub, services, version, words):
    stub.version = version
    assert words in services.trouble()


@pytest.mark.parametrize("version", ["1.41", "1.53", "2.0"])
def test_newer_engines_are_spoken_to_in_their_own_version(stub, services, version):
    stub.version = version
    services.wait_counts(Counts(desired=1))
    services.scale(web=2)
    assert stub.written == [("/services/s1/update?version=5", web(2)["Spec"])]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>hello</html>", "answered with HTML, not JSON"),
        (b"[{", "answered with a body that is not JSON"),
        ({"a": 1}, "answered with no list of services of Docker Swarm"),
        ([{"ID": "s1"}], "answered with no list of services of Docker Swarm: at 0/Version, field required"),
    ],
)
def test_an_answer_of_another_shape_is_no_crash(stub, services, body, words):
    stub.pages["/services"] = (200, body)
    assert words in services.trouble()


def test_without_the_right_to_list_nodes_the_rest_works(stub, services):
    stub.pages["/nodes"] = (403, {"message": "not allowed"})
    services.wait_counts(Counts(desired=1))


def test_a_write_without_an_answer_is_looked_up_and_not_repeated(stub, services):
    services.wait_counts(Counts(desired=1))
    stub.pages["/services/s1/update"] = None
    assert "closed the connection without an answer" in services.scale(web=2)[0]
    stub.pages["/services"] = (200, [web(2, 6)])
    services.wait_counts(Counts(desired=2))
    assert services.happenings == ["web: the change to 2 had been done: 2 are desired"]
    assert len(stub.written) == 1


def test_a_service_that_changes_again_and_again_is_written_twice_at_most(stub, services):
    services.wait_counts(Counts(desired=1))
    stub.pages["/services/s1"] = (200, web(1, 6))
    stub.pages["/services/s1/update"] = (500, {"message": "rpc error: code = Unknown desc = update out of sequence"})
    assert services.scale(web=2) == ["service web keeps being changed by somebody else; decided again at the next tick"]
    assert [path for path, _ in stub.written] == ["/services/s1/update?version=5", "/services/s1/update?version=6"]


def test_a_wish_to_be_left_alone_is_honoured(stub, services):
    stub.headers["Retry-After"] = "30"
    stub.pages["/services"] = (503, {"message": "busy"})
    assert "503" in services.trouble()
    assert "asks to wait" in services.trouble()


def test_a_service_removed_between_two_calls_is_looked_for_again(stub, services):
    stub.pages["/tasks"] = (404, {"message": "service s1 not found"})
    assert "404 Not Found: service s1 not found" in services.trouble()
    stub.pages["/tasks"] = (200, [])
    services.wait_counts(Counts(desired=1))


def test_tasks_of_hundreds_of_processes_are_asked_for_in_parts(stub, services):
    services.close()
    services.backend = None
    stub.pages["/services"] = (200, [web(90, number=1), web(90, number=2), web(0, number=3), web(400, number=4), web(1, number=5)])
    services.connect("web", "web2", "web3", "web4", "web5").wait_counts(Counts(desired=1), "web5")
    asked = {tuple(json.loads(unquote_plus(path.partition("filters=")[2]))["service"]) for path in stub.asked if path.startswith("/tasks?")}
    assert asked == {("s1",), ("s2", "s3"), ("s4",), ("s5",)}


def test_a_swarm_that_does_not_list_all_its_services_holds_the_missing_type_alone(stub, services):
    services.close()
    services.backend = None
    stub.pages["/services, all"] = (403, {"message": "not all of them"})
    services.connect("web", "ghost").wait_counts(Counts(desired=1))
    assert services.trouble("ghost") == "there is no service ghost; create it, or correct service or names"


def test_whatever_letters_a_service_has_are_sent_back(stub, services):
    spec = {**web()["Spec"], "Labels": {"a": "b\u2028\U0001f600", "c": "\ud800"}, "Unknown": {"Big": 2**63, "Small": 1e-7}}
    stub.pages["/services"] = (200, [{**web(), "Spec": spec}])
    services.wait_counts(Counts(desired=1))
    services.scale(web=2)
    assert stub.written == [("/services/s1/update?version=5", {**spec, "Mode": {"Replicated": {"Replicas": 2}}})]
