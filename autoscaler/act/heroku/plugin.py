"""Configure the backend that scales a Heroku app."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from autoscaler.act.backend import Backend, BackendError
from autoscaler.act.heroku.budget import Budget
from autoscaler.act.heroku.engine import HerokuEngine
from autoscaler.act.heroku.wire import HEADERS
from autoscaler.act.remote.api import Api, Server
from autoscaler.act.remote.live import live_engine, observing
from autoscaler.act.remote.naming import TYPE, find_foreign_keys, find_name_mistakes, names_there
from autoscaler.act.remote.token import Token
from autoscaler.clock import SystemClock
from autoscaler.model import Duration, Help, Number, PathName, ProcessType, Secret

_API = "https://api.heroku.com"
_TYPE = re.compile(r"[-\w]{1,128}", re.ASCII)
_VARIABLE = "HEROKU_API_KEY"
_RELEASE = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heroku:
    """Scale the dynos of a Heroku app; they stay when the autoscaler ends."""

    default_interval_seconds: ClassVar[float] = 15.0  # two calls a look, of 75 a minute that all programs of the account share

    app: Annotated[str, Help("name or id of the app")]
    token: Annotated[str | None, Secret(), Help("token with the scope write; default $HEROKU_API_KEY")] = field(default=None, repr=False)
    token_file: Annotated[PathName | None, Help("file with the token, read again for each call")] = None
    url: Annotated[str, Help("address of the Platform API")] = _API
    names: Annotated[Mapping[str, str], Help("what a process type is called in the Procfile, where it is not its own name")] = field(
        default_factory=dict
    )
    timeout_seconds: Annotated[Duration, Help("how long one call may take")] = 10.0
    reserve: Annotated[int, Number(at_least=0, at_most=4500), Help("calls of the account's API budget to leave to people")] = 100

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for an address that cannot be asked, and for a token that cannot be sent."""
        if not self.app or any(letter <= " " for letter in self.app):
            raise ValueError("app is empty or holds a space; write its name as `heroku apps` shows it")
        self._server()
        self._token()

    def connect(self, process_types: tuple[ProcessType, ...], previous: Backend | None) -> Backend:
        """Be the backend of the app, which is not asked yet; raise ``BackendError`` where there is no token."""
        self._require_token()
        return live_engine(self, process_types, previous, lambda: self._engine(process_types, is_told=False))

    def observer(self, process_types: tuple[ProcessType, ...]) -> Backend:
        """Look only, and tell how many calls the account has left."""
        self._require_token()
        return observing(process_types, lambda: self._engine(process_types, is_told=True))

    def mistakes(self, process_types: tuple[ProcessType, ...]) -> tuple[tuple[str, str], ...]:
        """Return (process type, sentence) for everything that cannot be so at Heroku."""
        there = names_there(process_types, TYPE, self.names)
        wrong = [
            (name, f"Heroku knows no process type {said!r}; letters, digits, - and _ make one")
            for name, said in there.items()
            if not _TYPE.fullmatch(said)
        ]
        phases = [(name, "is Heroku's release phase, which ends by itself; remove it here") for name, said in there.items() if said == _RELEASE]
        return (*find_name_mistakes(process_types, TYPE, self.names), *find_foreign_keys(process_types, "Heroku"), *wrong, *phases)

    def warnings(self) -> tuple[str, ...]:
        """Say what works and may surprise."""
        return () if self._server().is_private else ("url begins with http://, so everyone on the way can read the token; write https://",)

    def _server(self) -> Server:
        try:
            return Server(url=self.url, timeout_seconds=self.timeout_seconds)
        except ValueError as error:
            raise ValueError(f"url is {error}") from error

    def _token(self) -> Token:
        return Token(given=self.token, file=self.token_file, variable=_VARIABLE)

    def _require_token(self) -> str:
        token = self._token().read()
        if token is None:
            raise BackendError(f"backend heroku needs a token; set {_VARIABLE}, or write token or token_file")
        return token

    def _headers(self) -> Mapping[str, str]:
        return {**HEADERS, "Authorization": f"Bearer {self._require_token()}"}

    def _engine(self, process_types: tuple[ProcessType, ...], *, is_told: bool) -> HerokuEngine:
        there = names_there(process_types, TYPE, self.names)
        budget = Budget(self.reserve, is_told=is_told)
        return HerokuEngine(Api(self._server(), self._headers), self.app, there, budget, SystemClock())
