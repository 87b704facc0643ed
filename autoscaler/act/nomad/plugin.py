"""Configure the backend that scales task groups of Nomad jobs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from autoscaler.act.backend import Backend
from autoscaler.act.nomad.engine import NomadEngine, Place
from autoscaler.act.remote.api import Api, Server
from autoscaler.act.remote.live import live_engine, observing
from autoscaler.act.remote.naming import TYPE, find_foreign_keys, find_name_mistakes, names_there
from autoscaler.act.remote.token import Token
from autoscaler.clock import SystemClock
from autoscaler.model import Duration, Help, PathName, ProcessType, Secret

_AGENT = "http://127.0.0.1:4646"
_ADDRESS_VARIABLE, _TOKEN_VARIABLE = "NOMAD_ADDR", "NOMAD_TOKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nomad:
    """Scale task groups of Nomad jobs; their allocations stay when the autoscaler ends."""

    job: Annotated[str, Help("id of the job, such as shop, or shop-{type} for a job of each process type")]
    group: Annotated[str, Help("the task group that a process type is")] = TYPE
    names: Annotated[Mapping[str, str], Help("what stands for {type} where it is not the process type's own name")] = field(default_factory=dict)
    namespace: Annotated[str | None, Help("namespace of the jobs; default Nomad's default")] = None
    region: Annotated[str | None, Help("region of the jobs; default the agent's")] = None
    url: Annotated[str | None, Help("address of a Nomad agent, or unix:///PATH; default $NOMAD_ADDR, else http://127.0.0.1:4646")] = None
    token: Annotated[str | None, Secret(), Help("secret id of the token; default $NOMAD_TOKEN, else none")] = field(default=None, repr=False)
    token_file: Annotated[PathName | None, Help("file with the token, read again for each call")] = None
    ca: Annotated[PathName | None, Help("PEM file of the authority that vouches for the agent")] = None
    certificate: Annotated[PathName | None, Help("PEM file of a client certificate")] = None
    key: Annotated[PathName | None, Help("PEM file of its key")] = None
    timeout_seconds: Annotated[Duration, Help("how long one call may take")] = 10.0

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for an address that cannot be asked, a token that cannot be sent, and names that are none."""
        for key, name in (("job", self.job), ("group", self.group)):
            if not name or any(letter < " " for letter in name):
                raise ValueError(f"{key} is empty or holds a line break; write the name that `nomad job status` shows")
        if self.key is not None and self.certificate is None:
            raise ValueError("key belongs to a certificate; add certificate")
        self._server()
        self._token()

    def connect(self, process_types: tuple[ProcessType, ...], previous: Backend | None) -> Backend:
        """Be the backend of these jobs, which are not asked yet; raise ``BackendError`` for a token file that holds none."""
        self._token().read()
        return live_engine(self, process_types, previous, lambda: self._engine(process_types, may_watch=True))

    def observer(self, process_types: tuple[ProcessType, ...]) -> Backend:
        """Look only."""
        self._token().read()
        return observing(process_types, lambda: self._engine(process_types, may_watch=False))

    def mistakes(self, process_types: tuple[ProcessType, ...]) -> tuple[tuple[str, str], ...]:
        """Return (process type, sentence) for everything that cannot be so in Nomad."""
        return (
            *find_name_mistakes(process_types, f"{self.job}/{self.group}", self.names),
            *find_foreign_keys(process_types, "Nomad"),
        )

    def warnings(self) -> tuple[str, ...]:
        """Say what works and may surprise."""
        has_token = self.token is not None or self.token_file is not None or bool(os.environ.get(_TOKEN_VARIABLE))
        if self._server().is_private or not has_token:
            return ()
        return ("url begins with http://, so everyone on the way can read the token; write https://",)

    def _server(self) -> Server:
        address = self.url or os.environ.get(_ADDRESS_VARIABLE) or _AGENT
        try:
            return Server(url=address, ca=self.ca, certificate=self.certificate, key=self.key, timeout_seconds=self.timeout_seconds)
        except ValueError as error:
            raise ValueError(f"{'url' if self.url else f'url, taken from {_ADDRESS_VARIABLE},'} is {error}") from error

    def _token(self) -> Token:
        return Token(given=self.token, file=self.token_file, variable=_TOKEN_VARIABLE)

    def _headers(self) -> Mapping[str, str]:
        token = self._token().read()
        return {"X-Nomad-Token": token} if token else {}

    def _engine(self, process_types: tuple[ProcessType, ...], *, may_watch: bool) -> NomadEngine:
        jobs = names_there(process_types, self.job, self.names)
        groups = names_there(process_types, self.group, self.names)
        places = {name: Place(job, groups[name]) for name, job in jobs.items()}
        scope = {key: value for key, value in (("namespace", self.namespace), ("region", self.region)) if value}
        return NomadEngine(Api(self._server(), self._headers), places, scope, SystemClock(), may_watch=may_watch)
