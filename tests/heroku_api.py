"""A made-up Heroku: apps with a formation and dynos that start and stop, held to the published schema of the Platform API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from autoscaler.act.backend import Backend
from autoscaler.act.heroku import Heroku
from autoscaler.model import ProcessType
from tests.api_stub import ApiStub, Asked, Reply, closing, now

TOKEN = "HRKU-0123"  # noqa: S105 - it opens nothing
ACCEPT = "application/vnd.heroku+json; version=3"
APP = "example"
_TYPE = {"type": "string", "pattern": r"^[-\w]{1,128}$"}
_CHANGE = {"quantity": {"type": "integer"}, "dyno_size": {"type": ["object", "string"]}}
_UPDATE = {"type": "object", "additionalProperties": False, "required": ["type"], "properties": {**_CHANGE, "type": _TYPE}}
BATCH_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["updates"],
    "properties": {"updates": {"type": "array", "items": _UPDATE, "minItems": 1}},
}
ONE_SCHEMA = {"type": "object", "additionalProperties": False, "properties": _CHANGE}
_RANGE = re.compile(r"(?:id )?\]([0-9a-f-]{36})\.\.; max=(\d+)")
_LIMITS = {"Eco": 1, "Basic": 1, "Performance-M": 10, "Standard-1X": 100}  # dynos of one type


@dataclass(slots=True)
class Dyno:
    name: str
    type: str
    state: str = "starting"
    up_at: float = 0.0
    ends_at: float | None = None  # None: it stays
    id: str = field(default_factory=lambda: str(uuid4()))

    def document(self) -> dict[str, object]:
        return {
            "attach_url": None,
            "command": "run it",
            "created_at": "2026-11-26T08:00:00Z",
            "id": self.id,
            "name": self.name,
            "release": {"id": str(uuid4()), "version": 11},
            "app": {"id": str(uuid4()), "name": APP},
            "size": "standard-1X",
            "state": self.state,
            "type": self.type,
            "updated_at": "2026-11-26T08:00:00Z",
        }


@dataclass(slots=True)
class Entry:
    """One process type of the formation."""

    type: str
    quantity: int = 0
    size: str = "Standard-1X"
    id: str = field(default_factory=lambda: str(uuid4()))

    def document(self) -> dict[str, object]:
        return {
            "app": {"id": str(uuid4()), "name": APP},
            "command": "run it",
            "created_at": "2026-11-26T08:00:00Z",
            "dyno_size": {"id": str(uuid4()), "name": self.size},
            "id": self.id,
            "quantity": self.quantity,
            "size": self.size,
            "type": self.type,
            "updated_at": "2026-11-26T08:00:00Z",
        }


def refusal(status: int, identifier: str, message: str) -> Reply:
    """Return an error as Heroku writes it."""
    return Reply(status, {"id": identifier, "message": message, "url": f"https://devcenter.heroku.com/articles/platform-api-reference#{identifier}"})


class _Refused(Exception):  # noqa: N818 - it is an answer
    def __init__(self, reply: Reply) -> None:
        self.reply = reply


class HerokuStub(ApiStub):
    """One account with one app."""

    def __init__(self, types: tuple[str, ...] = ("web", "job"), certificate: tuple[Path, Path] | None = None) -> None:
        self.entries = {name: Entry(name) for name in types}
        self.dynos: list[Dyno] = []
        self.remaining = 4500
        self.start_seconds = 0.03
        self.drain_seconds = 0.0
        self.page = 200
        super().__init__(certificate)

    def scaled(self) -> list[object]:
        """Return the bodies of all writes so far."""
        return [each.json() for each in list(self.asked) if each.method == "PATCH"]

    def set(self, name: str, quantity: int) -> None:
        """Scale by another hand."""
        with self.lock:
            self._scale(self.entries[name], quantity)

    def answer(self, asked: Asked) -> Reply:
        with self.lock:
            self._pass_time()
            try:
                self._admit(asked)
                reply = self._route(asked)
            except _Refused as refused:
                reply = refused.reply
            limits = {"RateLimit-Remaining": str(self.remaining), "RateLimit-Multiplier": "1", "Request-Id": str(uuid4())}
            return Reply(reply.status, reply.body, {**limits, **reply.headers})

    def _admit(self, asked: Asked) -> None:
        if asked.headers.get("accept") != ACCEPT:
            self.broken.append(f"{asked.line}: Accept is {asked.headers.get('accept')}")
        if asked.body and asked.headers.get("content-type") != "application/json":
            self.broken.append(f"{asked.line}: Content-Type is {asked.headers.get('content-type')}")
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            raise _Refused(refusal(401, "unauthorized", "Invalid credentials provided."))
        if self.remaining <= 0:
            said = "Your account reached the API rate limit\nPlease wait a few minutes before making new requests"
            raise _Refused(refusal(429, "rate_limit", said))
        self.remaining -= 1

    def _route(self, asked: Asked) -> Reply:
        match asked.method, asked.segments:
            case "GET", ["apps", app, "formation"]:
                self.check(asked, {})
                return self._list(app, asked, [entry.document() for entry in self.entries.values()])
            case "GET", ["apps", app, "dynos"]:
                self.check(asked, {})
                return self._list(app, asked, [dyno.document() for dyno in self.dynos])
            case "PATCH", ["apps", app, "formation"]:
                self.check(asked, BATCH_SCHEMA)
                self._require(app)
                return Reply(200, [entry.document() for entry in self._update(asked.json()["updates"])])
            case "PATCH", ["apps", app, "formation", name]:
                self.check(asked, ONE_SCHEMA)
                self._require(app)
                return Reply(200, self._update([{"type": name, **asked.json()}])[0].document())
        self.broken.append(f"{asked.line}: there is no such call")
        return refusal(404, "not_found", "The requested API endpoint was not found.")

    def _require(self, app: str) -> None:
        if app != APP:
            raise _Refused(refusal(404, "not_found", "Couldn't find that app."))

    def _list(self, app: str, asked: Asked, documents: list[dict[str, object]]) -> Reply:
        self._require(app)
        documents.sort(key=lambda each: str(each["id"]))
        after, size = "", self.page
        if (wanted := asked.headers.get("range")) is not None:
            found = _RANGE.fullmatch(wanted)
            if found is None:
                self.broken.append(f"{asked.line}: Range is {wanted}")
                return refusal(416, "requested_range_not_satisfiable", "Range is not valid.")
            after, size = found[1], int(found[2])
        rest = [each for each in documents if str(each["id"]) > after]
        page = rest[:size]
        more = {"Next-Range": f"]{page[-1]['id']}..; max={size}"} if len(rest) > size else {}
        return Reply(206 if more else 200, page, more)

    def _update(self, updates: list[dict[str, object]]) -> list[Entry]:
        """Do all or nothing."""
        for update in updates:
            entry = self.entries.get(str(update["type"]))
            if entry is None:
                raise _Refused(refusal(404, "not_found", f"Couldn't find that process type ({update['type']})."))
            if int(update["quantity"]) > _LIMITS[entry.size]:
                said = f"Cannot update to more than {_LIMITS[entry.size]} {entry.size} size dynos per process type."
                raise _Refused(refusal(422, "invalid_params", said))
        for update in updates:
            self._scale(self.entries[str(update["type"])], int(update["quantity"]))
        return [self.entries[str(update["type"])] for update in updates]

    def _scale(self, entry: Entry, quantity: int) -> None:
        entry.quantity = quantity
        own = {dyno.name: dyno for dyno in self.dynos if dyno.type == entry.type}
        for number in range(1, quantity + 1):
            dyno = own.get(f"{entry.type}.{number}")
            if dyno is None:
                self.dynos.append(Dyno(f"{entry.type}.{number}", entry.type, up_at=now() + self.start_seconds))
            else:
                dyno.ends_at = None
        for name, dyno in own.items():
            if int(name.rpartition(".")[2]) > quantity and dyno.ends_at is None:
                dyno.ends_at = now() + self.drain_seconds
        self._pass_time()

    def _pass_time(self) -> None:
        self.dynos = [dyno for dyno in self.dynos if dyno.ends_at is None or dyno.ends_at > now()]
        for dyno in self.dynos:
            if dyno.state == "starting" and now() >= dyno.up_at:
                dyno.state = "up"


@contextmanager
def heroku_stub(**options: object) -> Iterator[HerokuStub]:
    """Serve a made-up Heroku; fail at the end when it was asked for what Heroku does not take."""
    with closing(HerokuStub(**options)) as stub:
        yield stub


@pytest.fixture
def connect_heroku():
    """Return how to connect the backend for a web and a job type."""
    types = tuple(ProcessType(name=name, minimum=0, maximum=10) for name in ("web", "job"))
    with heroku_stub() as stub:

        def connect() -> Backend:
            return Heroku(app=APP, token=TOKEN, url=stub.url).connect(types, None)

        yield connect
