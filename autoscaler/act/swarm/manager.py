"""Ask and tell a manager of a swarm, and put what it answers instead into words."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from autoscaler.act.remote.api import Api, Call, Server, quoted, said_by
from autoscaler.act.swarm.shapes import NODES, SERVICE, SERVICES, TASKS, Node, Service, Task, read
from autoscaler.http_client import Answer, HttpError, UnclearError

_OLDEST_API = (1, 41)  # of Docker 20.10
_FORBIDDEN, _NOT_FOUND, _FIRST_FAILURE = 403, 404, 400
_OUT_OF_SEQUENCE = "update out of sequence"
_KNOWN = (
    ("worker nodes can't", "it is a worker of its swarm, and only a manager knows the services; set address to a manager's"),
    ("docker swarm init", "it is not part of a swarm; run docker swarm init or docker swarm join there, or set address to a manager's"),
    ("needs to be unlocked", "its swarm is locked; run docker swarm unlock there"),
    ("does not have a leader", "its swarm has no leader; more than half of its managers must be up and reach each other"),
)


class NotThereError(HttpError):
    """What was asked for does not exist."""


class StaleError(HttpError):
    """A service changed since it was read; nothing was written."""


class ForbiddenError(HttpError):
    """A proxy or plug-in before the engine lets the call not pass."""


@dataclass(frozen=True, slots=True)
class Tasks:
    """The tasks of some services, and when the manager said so."""

    tasks: tuple[Task, ...]
    now: datetime


class Manager:
    """A manager's API. Every method raises ``HttpError``; its text is a sentence with the fix where one is known."""

    def __init__(self, server: Server) -> None:
        """Ask nothing yet."""
        self._server = server
        self._api = Api(server, dict)

    @property
    def host(self) -> str:
        """Name the manager in sentences."""
        return self._api.host

    def services(self, names: Iterable[str]) -> tuple[Service, ...]:
        """Return the services whose names begin with one of these; all of them when there are no names."""
        return read(self._get("/services", name=tuple(names)), SERVICES, "list of services")

    def service(self, service_id: str) -> Service:
        """Return one service."""
        return read(self._get(f"/services/{quoted(service_id)}"), SERVICE, "service")

    def tasks(self, services: Iterable[Service]) -> Tasks:
        """Return the tasks of these services, ended ones too as far as Swarm keeps them; raise ``NotThereError`` when one is gone."""
        answer = self._get("/tasks", service=tuple(service.id for service in services))
        tasks = read(answer, TASKS, "list of tasks")
        return Tasks(tasks, _time(answer) or max((task.status.timestamp for task in tasks), default=datetime.fromtimestamp(0, UTC)))

    def nodes(self) -> Mapping[str, Node]:
        """Return the nodes by their ids; none where they may not be listed."""
        try:
            return {node.id: node for node in read(self._get("/nodes"), NODES, "list of nodes")}
        except ForbiddenError:
            return {}

    def set_replicas(self, service: Service, count: int) -> None:
        """Change nothing of a service but its number of processes; raise ``StaleError`` when it changed since it was read."""
        query = {"version": str(service.version.index)}
        self._ask(Call(method="POST", path=f"/services/{quoted(service.id)}/update", query=query, body=_as_json(service, count)))

    def close(self) -> None:
        """Close the idle connections."""
        self._api.close()

    def _get(self, path: str, **filters: tuple[str, ...]) -> Answer:
        wanted = {key: list(values) for key, values in filters.items() if values}
        return self._ask(Call(method="GET", path=path, query={"filters": json.dumps(wanted)} if wanted else {}))

    def _ask(self, call: Call) -> Answer:
        # The path names no version, so that the engine speaks its own: with an older one it would drop what that did not know from a service.
        try:
            answer = self._api.ask(call)
        except UnclearError:
            raise
        except HttpError as error:
            raise HttpError(self._why_unreachable(str(error)) or str(error)) from error
        if answer.status >= _FIRST_FAILURE:
            raise _failure(answer, call)
        _require_version(answer.checked())
        return answer

    def _why_unreachable(self, failure: str) -> str | None:
        path = self._server.socket_path
        if path is None:
            wants_certificate = self._server.certificate is None and "_ALERT_" in failure and "CERTIFICATE" in failure
            return f"{self.host} wants to see a client's certificate; set certificate and key" if wants_certificate else None
        try:
            is_there = Path(path).stat() is not None
        except PermissionError:
            is_there = True
        except OSError:
            is_there = False
        if not is_there:
            return f"there is no socket {path}; start the Docker Engine, or set address to where a manager listens"
        if not os.access(path, os.R_OK | os.W_OK):
            return f"no permission for the socket {path}; run the controller as a member of the group that owns it, or as root"
        return f"nothing listens at the socket {path}; start the Docker Engine" if failure.startswith("connection refused") else None


def _as_json(service: Service, count: int) -> bytes:
    return json.dumps(service.with_replicas(count)).encode()


def _failure(answer: Answer, call: Call) -> HttpError:
    message = _message(answer)
    if _OUT_OF_SEQUENCE in message:
        return StaleError("the service changed since it was read")
    for words, sentence in _KNOWN:
        if words in message.lower():
            return HttpError(f"{answer.host}: {sentence}")
    said = said_by(answer, message)
    if answer.status == _FORBIDDEN:
        return ForbiddenError(f"{said}; let {call.method} {call.path} pass")
    return (NotThereError if answer.status == _NOT_FOUND else HttpError)(said)


def _message(answer: Answer) -> str:
    """Return what an engine says of a failure."""
    try:
        document = answer.json()
    except HttpError:
        return answer.page() or answer.text()
    message = document.get("message") if isinstance(document, dict) else None
    return message if isinstance(message, str) else ""


def _require_version(answer: Answer) -> None:
    version = answer.headers.get("api-version", "")
    numbers = version.split(".")
    if not all(number.isdecimal() for number in numbers):
        raise HttpError(f"{answer.host} is no Docker Engine: it does not say which version of the API it speaks; correct address")
    if tuple(map(int, numbers)) < _OLDEST_API:
        raise HttpError(f"{answer.host} speaks version {version} of the Docker Engine's API; 1.41 (Docker 20.10) or newer is needed")


def _time(answer: Answer) -> datetime | None:
    try:
        found = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
