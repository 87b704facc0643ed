"""Stand in for the APIs of three platforms: each checks every request as its documentation has it, and fails on demand."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from autoscaler.act.backend import Backend
from autoscaler.config.loading import load_text
from autoscaler.model import ProcessType
from autoscaler.settings import Settings

EXAMPLES = Path(__file__).resolve().parent.parent / "examples/http"


@dataclass
class Request:
    """What a platform was asked."""

    method: str
    path: str
    headers: Mapping[str, str]  # by name in lower case
    body: object = None


@dataclass
class Reply:
    """What it answers; a body that is bytes is sent as it is."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


Fault = Callable[["_Handler"], None]


class RefusedError(Exception):
    """A request that breaks the platform's rules."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(status)
        self.reply = Reply(status, body)


@dataclass
class Formation:
    """How many processes of a type were asked for, and in which state those are that exist."""

    wanted: int = 0
    states: list[str] = field(default_factory=list)


class Platform:
    """A platform with some process types; processes are ready at once, unless ``pace`` says another state of new ones."""

    ready, new = "running", "running"

    def __init__(self, *types: str) -> None:
        self.formations = {name: Formation() for name in types}
        self.requests: list[Request] = []
        self.faults: list[Fault | None] = []  # of the next requests, None: none
        self.changes: list[dict[str, int]] = []  # what was accepted
        self.latency = 0.0  # seconds before each answer
        self.lock = threading.RLock()
        self.url = ""

    def answer(self, request: Request) -> Reply:
        raise NotImplementedError

    def change(self, **wanted: int) -> None:
        """Change what is wanted, as anybody may."""
        for name, count in wanted.items():
            formation = self.formations[name]
            formation.wanted = count
            formation.states = [*formation.states[:count], *[self.new] * (count - len(formation.states))]

    def accept(self, wanted: dict[str, int]) -> None:
        self.changes.append(wanted)
        self.change(**wanted)

    def writes(self) -> list[Request]:
        """Return what was asked by anything but GET, logins left out."""
        return [each for each in self.requests if each.method != "GET" and "tokens" not in each.path]


class Scalingo(Platform):
    """https://developers.scalingo.com: GET containers and ps, POST scale, and POST tokens/exchange of the authentication API."""

    new = "running"

    def __init__(self) -> None:
        super().__init__("web", "worker")
        self.tokens: list[str] = []

    def answer(self, request: Request) -> Reply:
        if (request.method, request.path) == ("POST", "/v1/tokens/exchange"):
            return self._exchange(request)
        if request.headers.get("authorization") not in {f"Bearer {token}" for token in self.tokens[-1:]}:
            raise RefusedError(401, {"error": "unauthorized"})
        match request.method, request.path:
            case "GET", "/v1/apps/shop/containers":
                return Reply(body={"containers": self._containers()})
            case "GET", "/v1/apps/shop/ps":
                return Reply(body={"containers": list(self._ps())})
            case "POST", "/v1/apps/shop/scale":
                return self._scale(request)
        raise RefusedError(404, {"resource": "app", "error": "not found"})

    def _exchange(self, request: Request) -> Reply:
        if request.headers.get("authorization") != "Basic OnRrLXVzLWxhc3Rpbmc=":  # :tk-us-lasting
            raise RefusedError(401, {"error": "unauthorized"})
        self.tokens.append(f"bearer-{len(self.tokens) + 1}")
        return Reply(body={"token": self.tokens[-1]})

    def _containers(self) -> list[dict[str, object]]:
        return [{"id": f"ct-{name}", "name": name, "amount": each.wanted, "size": "M"} for name, each in self.formations.items()]

    def _ps(self) -> Iterator[dict[str, object]]:
        yield {"id": "0", "type": "one-off", "type_index": 9410, "state": "booting", "command": "bash", "deleted_at": None}
        for name, formation in self.formations.items():
            for number, state in enumerate(formation.states, start=1):
                yield {"id": f"{name}{number}", "type": name, "type_index": number, "state": state, "command": "", "deleted_at": None}

    def _scale(self, request: Request) -> Reply:
        if request.headers.get("content-type") != "application/json":
            raise RefusedError(400, {"error": "There was a problem in the JSON you submitted"})
        wanted = {}
        for each in request.body["containers"]:
            if set(each) - {"name", "amount", "size"} or not isinstance(each["amount"], int) or each["name"] not in self.formations:
                raise RefusedError(422, {"errors": {"containers": ["is invalid"]}})
            if each["amount"] > 10:
                raise RefusedError(422, {"error": "cannot have more than 10 containers of a type"})
            wanted[each["name"]] = each["amount"]
        self.accept(wanted)
        return Reply(202, {"containers": self._containers()}, {"Location": f"{self.url}/v1/apps/shop/operations/52fd2357"})


class CleverCloud(Platform):
    """https://www.clever-cloud.com/developers/api/v2: an application a type, GET and PUT of it, and GET of its instances."""

    new = "UP"
    _UPDATABLE = frozenset({"name", "description", "minInstances", "maxInstances", "minFlavor", "maxFlavor", "separateBuild", "buildFlavor"})

    def __init__(self) -> None:
        super().__init__("app_75e1", "app_0f2a")
        self.change(app_75e1=1, app_0f2a=1)

    def answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != "Bearer clever-secret":
            raise RefusedError(401, {"id": 2001, "message": "Not connected", "type": "error"})
        found = re.fullmatch(r"/v2/organisations/orga_4b1c/applications/(app_\w+)(/instances)?", request.path)
        if not found or found[1] not in self.formations:
            raise RefusedError(404, {"id": 4004, "message": "The application does not exist", "type": "error"})
        if found[2]:
            return Reply(body=list(self._instances(found[1])))
        if request.method == "PUT":
            self._update(found[1], request)
        return Reply(body=self._application(found[1]))

    def _application(self, name: str) -> dict[str, object]:
        wanted = self.formations[name].wanted
        instance = {"type": "node", "minInstances": wanted, "maxInstances": wanted, "maxAllowedInstances": 40, "minFlavor": {"name": "S"}}
        return {"id": name, "name": name, "instance": instance, "state": "SHOULD_BE_UP"}

    def _instances(self, name: str) -> Iterator[dict[str, object]]:
        for number, state in enumerate(self.formations[name].states):
            yield {"id": f"{name}-{number}", "appId": name, "state": state, "instanceNumber": number, "flavor": {"name": "S"}, "appPort": 8080}

    def _update(self, name: str, request: Request) -> None:
        least, most = request.body.get("minInstances"), request.body.get("maxInstances")
        if set(request.body) - self._UPDATABLE or not (isinstance(least, int) and isinstance(most, int) and 1 <= least <= most <= 40):
            raise RefusedError(400, {"id": 4014, "message": "The scalability parameters are not valid", "type": "error"})
        self.accept({name: least})


class InHouse(Platform):
    """A platform with entity tags: a change needs If-Match, and 412 says that somebody else was faster."""

    ready, new = "ready", "ready"

    def __init__(self) -> None:
        super().__init__("web", "shop-worker")
        self.versions = dict.fromkeys(self.formations, 1)
        self.before_write: Callable[[], None] = lambda: None

    def change(self, **wanted: int) -> None:
        super().change(**wanted)
        for name in wanted:
            self.versions[name] += 1

    def answer(self, request: Request) -> Reply:
        if request.headers.get("x-api-key") != "in-house-secret":
            raise RefusedError(403, {"message": f"the key {request.headers.get('x-api-key')} may not do that"})
        name = request.path.removeprefix("/api/formations/")
        if name not in self.formations:
            raise RefusedError(404, {"message": f"no formation {name}"})
        if request.method == "PATCH":
            self._patch(name, request)
        return Reply(body=self._page(name), headers={"ETag": self._tag(name)})

    def _tag(self, name: str) -> str:
        return f'"v{self.versions[name]}"'

    def _page(self, name: str) -> dict[str, object]:
        formation = self.formations[name]
        return {
            "processes": formation.wanted,
            **{state: formation.states.count(state) for state in ("ready", "starting", "draining", "failed")},
        }

    def _patch(self, name: str, request: Request) -> None:
        self.before_write()
        if "if-match" not in request.headers:
            raise RefusedError(428, {"message": "If-Match is required"})
        if request.headers["if-match"] != self._tag(name):
            raise RefusedError(412, {"message": "the formation was changed"})
        if set(request.body) != {"processes", "reason"} or type(request.body["processes"]) is not int:
            raise RefusedError(422, {"message": "processes must be a number"})
        self.accept({name: request.body["processes"]})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        request = Request(self.command, self.path, {name.lower(): value for name, value in self.headers.items()})
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        request.body = json.loads(content) if content else None
        platform = self.server.platform
        with platform.lock:
            platform.requests.append(request)
            fault = platform.faults.pop(0) if platform.faults else None
        self.request_now = request
        if fault is not None:
            fault(self)
        else:
            self.send(self.reply())

    do_POST = do_PUT = do_PATCH = do_GET  # noqa: N815 - as http.server wants it

    def reply(self) -> Reply:
        """Let the platform do what it was asked."""
        time.sleep(self.server.platform.latency)
        with self.server.platform.lock:
            try:
                return self.server.platform.answer(self.request_now)
            except RefusedError as error:
                return error.reply

    def send(self, reply: Reply, cut: int | None = None) -> None:
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:cut])
        if cut is not None:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    platform: Platform

    def handle_error(self, *_: object) -> None:
        """Print nothing: clients that hang up are part of the tests."""


def status(code: int, body: object = None, **headers: str) -> Fault:
    """Answer with a status and do nothing."""
    return lambda handler: handler.send(Reply(code, body if body is not None else {"message": "out of order"}, headers))


def content(text: str, kind: str = "application/json") -> Fault:
    """Answer 200 with this text, and do nothing."""
    return lambda handler: handler.send(Reply(200, text.encode(), {"Content-Type": kind}))


def reset(handler: _Handler) -> None:
    """Hang up without having done anything."""
    handler.close_connection = True
    with suppress(OSError):
        handler.connection.shutdown(socket.SHUT_RDWR)


def reset_when_done(handler: _Handler) -> None:
    """Do what was asked, and hang up without an answer."""
    handler.reply()
    reset(handler)


def half(handler: _Handler) -> None:
    """Do what was asked, and hang up in the middle of the answer."""
    handler.send(handler.reply(), cut=5)
    reset(handler)


def silence(handler: _Handler) -> None:
    """Never answer."""
    handler.close_connection = True
    deadline = time.monotonic() + 30
    handler.connection.settimeout(0.05)
    while time.monotonic() < deadline:
        try:
            if not handler.connection.recv(1):
                return
        except TimeoutError:
            continue
        except OSError:
            return


def slow(seconds: float) -> Fault:
    """Answer correctly, and late."""

    def answer(handler: _Handler) -> None:
        time.sleep(seconds)
        handler.send(handler.reply())

    return answer


@contextmanager
def serving(platform: Platform) -> Iterator[Platform]:
    """Serve a platform on loopback."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.platform = platform
        platform.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield platform
        finally:
            server.shutdown()
            thread.join()


_SECRETS = {"SCALINGO_TOKEN": "tk-us-lasting", "CLEVER_TOKEN": "clever-secret", "PLATFORM_KEY": "in-house-secret"}
_SERVERS = re.compile(r"https://(api\.osc-fr1\.scalingo|auth\.scalingo|api-bridge\.clever-cloud|platform\.example)\.com")


def load_example(name: str, platform: Platform) -> Settings:
    """Load a configuration of the examples, with this platform in place of the real one."""
    text, changes = _SERVERS.subn(platform.url, (EXAMPLES / name).read_text())
    assert changes
    return load_text(text, name, _SECRETS)


@pytest.fixture
def scalingo() -> Iterator[Scalingo]:
    with serving(Scalingo()) as platform:
        yield platform


@pytest.fixture
def clever_cloud() -> Iterator[CleverCloud]:
    with serving(CleverCloud()) as platform:
        yield platform


@pytest.fixture
def in_house() -> Iterator[InHouse]:
    with serving(InHouse()) as platform:
        yield platform


@pytest.fixture
def connect_http(scalingo: Scalingo) -> Callable[[], Backend]:
    """Return how to connect a web and a job type by the example of Scalingo."""
    scalingo.formations["job"] = scalingo.formations.pop("worker")
    plugin = load_example("scalingo.yaml", scalingo).backends["default"]
    types = tuple(ProcessType(name=name, minimum=0, maximum=20) for name in ("web", "job"))
    return lambda: plugin.connect(types, None)


class Pages(Platform):
    """A platform of a test's own: a page for each path, whatever is sent to it."""

    def __init__(self, **pages: object) -> None:
        super().__init__()
        self.pages = pages

    def answer(self, request: Request) -> Reply:
        found = self.pages.get(request.path.partition("?")[0].strip("/"), Reply(404, {"message": "no page"}))
        return found if isinstance(found, Reply) else Reply(body=found)


@pytest.fixture
def pages() -> Iterator[Pages]:
    with serving(Pages()) as platform:
        yield platform
