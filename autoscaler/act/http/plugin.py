"""Configure the backend that speaks with any HTTP API, as templates describe it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

from autoscaler.act.backend import Backend, require_sound
from autoscaler.act.http.credentials import Credentials, is_secret_header
from autoscaler.act.http.engine import HttpEngine
from autoscaler.act.http.keys import Exchange, Processes, Read, Write
from autoscaler.act.remote.api import Server
from autoscaler.act.remote.live import live_engine, observing
from autoscaler.act.remote.naming import TYPE, find_foreign_keys, find_name_mistakes
from autoscaler.http_client import Login
from autoscaler.json_pointer import require_pointer
from autoscaler.model import Duration, Help, Number, PathName, ProcessType, Secret

Status = Annotated[int, Number(at_least=400, at_most=599)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """Run the formation by an HTTP API that tells and takes absolute numbers of processes as JSON."""

    url: Annotated[str, Help("address of the API, or unix:///PATH of its socket")]
    read: Annotated[Read, Help("where it tells numbers of processes")]
    processes: Annotated[Processes | None, Help("where it lists single processes; default it does not")] = None
    write: Annotated[Write, Help("what it is sent to change a number")]
    names: Annotated[Mapping[str, str], Help("what a type is called there, where it is not its own name")] = field(default_factory=dict)
    error: Annotated[str | None, Help("JSON pointer to the message in an answer that is an error")] = None
    conflict: Annotated[tuple[Status, ...], Help("statuses that mean: the version has changed")] = (409, 412)
    busy: Annotated[tuple[Status, ...], Help("statuses that mean: not now, for a reason that passes")] = (423, 429)
    headers: Annotated[Mapping[str, str], Help("of every request, such as X-Api-Key: ${KEY}")] = field(default_factory=dict, repr=False)
    token: Annotated[str | None, Secret(), Help("bearer token")] = field(default=None, repr=False)
    token_file: Annotated[PathName | None, Help("file with the bearer token; read again for each call")] = None
    exchange: Annotated[Exchange | None, Help("where the bearer token is fetched from, again and again")] = None
    user: Annotated[str | None, Help("user of basic authentication")] = None
    password: Annotated[str | None, Secret(), Help("password of basic authentication")] = field(default=None, repr=False)
    ca: Annotated[PathName | None, Help("PEM file with the authority of the server's certificate; default the public ones")] = None
    certificate: Annotated[PathName | None, Help("PEM file with a client certificate")] = None
    key: Annotated[PathName | None, Help("PEM file with the client certificate's key")] = None
    timeout_seconds: Annotated[Duration, Help("for a whole call")] = 10.0

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for an API that cannot be asked, or that would be told nothing."""
        require_pointer(self.error or "", "error")
        self._require_one_login()
        self._require_private(self.url, "url", has_secret=self._has_secret())
        if self.exchange:
            self._require_private(self.exchange.url, "exchange.url", has_secret=True)
        if self.processes and any((self.read.running, self.read.starting, self.read.draining, self.read.failed)):
            raise ValueError("processes tells which of them run; remove running, starting, draining and failed from read")
        if (self.read.version is None) != ("version" not in self.write.places):
            raise ValueError('read.version and "{version}" in write belong together; give both or none')

    def connect(self, process_types: tuple[ProcessType, ...], previous: Backend | None) -> Backend:
        """Be ready to ask the API, without asking it yet; raise ``BackendError`` when a credential is not there."""
        self._require_sound(process_types)
        return live_engine(self, process_types, previous, partial(self._engine, process_types))

    def observer(self, process_types: tuple[ProcessType, ...]) -> Backend:
        """Be ready to ask the API only, never to tell it anything."""
        self._require_sound(process_types)
        return observing(process_types, partial(self._engine, process_types))

    def mistakes(self, process_types: tuple[ProcessType, ...]) -> tuple[tuple[str, str], ...]:
        """Return (process type, sentence) for everything that would keep this backend from running them."""
        found = [*find_name_mistakes(process_types, TYPE, self.names), *find_foreign_keys(process_types, "an HTTP API")]
        for other in process_types[1:]:
            if not self.read.tells_types_apart:
                found.append((other.name, 'read says the same of every type; write "{type}" into its path or pointers, or add items'))
            if "type" not in self.write.places:
                found.append((other.name, 'write says the same of every type; write "{type}" into its path or body'))
        return tuple(found)

    def _engine(self, process_types: tuple[ProcessType, ...]) -> HttpEngine:
        return HttpEngine(self, {each.name: self.names.get(each.name, each.name) for each in process_types})

    def server(self) -> Server:
        """Return where the API is; raise ``ValueError`` for an address that cannot be asked."""
        return Server(url=self.url, ca=self.ca, certificate=self.certificate, key=self.key, timeout_seconds=self.timeout_seconds)

    def login(self) -> Login:
        """Return the login that does not change; raise ``ValueError`` for half of one."""
        return Login(token=self.token, user=self.user, password=self.password)

    def _require_sound(self, process_types: tuple[ProcessType, ...]) -> None:
        require_sound(self.mistakes(process_types))
        Credentials(self).check()

    def _require_one_login(self) -> None:
        self.login()
        given = [key for key in ("token", "token_file", "exchange", "user") if getattr(self, key) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} exclude each other; give one of them")
        if self.key is not None and self.certificate is None:
            raise ValueError("key is the key of a certificate; add certificate")

    def _has_secret(self) -> bool:
        logins = (self.token, self.token_file, self.exchange, self.password)
        return any(logins) or any(map(is_secret_header, (*self.headers, *self.write.headers)))

    def _require_private(self, url: str, key: str, *, has_secret: bool) -> None:
        try:
            server = Server(url=url)
        except ValueError as error:
            raise ValueError(f"{key} is {error}") from error
        if has_secret and not server.is_private:
            raise ValueError(f"{key} is not https, so everybody on the way could read the credentials; write https://")
