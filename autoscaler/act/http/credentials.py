"""Hold what an API wants to see before it answers, and fetch it anew where it rotates."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from autoscaler.act.backend import BackendError
from autoscaler.act.http.keys import Exchange
from autoscaler.act.remote.api import Api, Call, Server
from autoscaler.http_client import HttpError, Login
from autoscaler.json_pointer import PointerError, find

if TYPE_CHECKING:
    from autoscaler.act.http.plugin import Http


_SECRET_HEADER = re.compile(r"auth|cookie|key|token|secret|password", re.IGNORECASE)
_SHORTEST_SECRET = 4  # characters; a shorter one is no secret, and stands in many words


def is_secret_header(name: str) -> bool:
    """Tell whether what a header of this name holds is likely to be a secret."""
    return _SECRET_HEADER.search(name) is not None


class Credentials:
    """The headers that log a request in; safe from any thread."""

    def __init__(self, plugin: Http) -> None:
        """Read nothing yet."""
        self._plugin = plugin
        self._exchanged = Exchanged(plugin.exchange, plugin.server()) if plugin.exchange else None
        self._login = plugin.login()

    @property
    def key(self) -> str:
        """Name the key of the configuration that they come from."""
        plugin = self._plugin
        given = [name for name in ("token", "token_file", "exchange", "password") if getattr(plugin, name) is not None]
        return given[0] if given else "headers" if plugin.headers else "token"

    def check(self) -> None:
        """Raise ``BackendError`` when a file that must hold a token does not."""
        if self._plugin.token_file:
            self._login_of_file(self._plugin.token_file)

    def headers(self) -> Mapping[str, str]:
        """Return the headers of a call that begins now; raise ``BackendError`` or ``HttpError`` when they are not to be had."""
        return {**self._plugin.headers, **self._current().headers()}

    def hide(self, text: str) -> str:
        """Blot out every secret in what a server said."""
        login = self._exchanged.known if self._exchanged else self._login
        headers = (*self._plugin.headers.items(), *self._plugin.write.headers.items())
        # A header such as ``Authorization: Bearer ...`` ends in the secret, and a server may repeat that alone.
        of_headers = [secret for name, value in headers if is_secret_header(name) for secret in (value, value.split(" ")[-1])]
        for secret in (login.token, login.password, *of_headers):
            text = text.replace(secret, "***") if secret and len(secret) >= _SHORTEST_SECRET else text
        return text

    def forget(self) -> None:
        """Fetch a new token for the next call: this one is not accepted."""
        if self._exchanged:
            self._exchanged.forget()

    def close(self) -> None:
        """Close connections."""
        if self._exchanged:
            self._exchanged.close()

    def _current(self) -> Login:
        if self._exchanged:
            return self._exchanged.login()
        if self._plugin.token_file:
            self._login = self._login_of_file(self._plugin.token_file)
        return self._login

    def _login_of_file(self, path: str) -> Login:
        try:
            return Login(token=Path(path).read_text(encoding="utf-8").strip())
        except OSError as error:
            raise BackendError(f"token_file {path} cannot be read: {error.strerror}; write the token into it, for this user alone") from error
        except ValueError as error:
            raise BackendError(f"token_file {path} holds no token; write the token into it, and nothing else") from error


class Exchanged:
    """A token that was fetched for a lasting secret, for as long as it is used."""

    def __init__(self, exchange: Exchange, server: Server) -> None:
        """Fetch nothing yet; ``server`` says which authorities and how much patience."""
        self._exchange = exchange
        own = Server(url=exchange.url, ca=server.ca, timeout_seconds=server.timeout_seconds)
        self._api = Api(own, Login(user=exchange.user, password=exchange.password).headers)
        self._fetching = Lock()
        self._until = 0.0
        self.known = Login(user=exchange.user, password=exchange.password)

    def login(self) -> Login:
        """Return the token, or fetch one; raise ``HttpError`` when there is none."""
        with self._fetching:
            if time.monotonic() >= self._until:
                self.known = self._fetch()
                self._until = time.monotonic() + self._exchange.every_seconds
            return self.known

    def forget(self) -> None:
        """Fetch a token anew."""
        with self._fetching:
            self._until = 0.0

    def close(self) -> None:
        """Close connections."""
        self._api.close()

    def _fetch(self) -> Login:
        try:
            answer = self._api.ask(Call(method="POST", path=""))
            token = find(answer.checked().json(), self._exchange.token)
        except (HttpError, PointerError) as error:
            raise HttpError(f"exchange gave no token: {error}") from error
        if not isinstance(token, str):
            raise HttpError(f"exchange gave no token: {answer.host} has no text at {self._exchange.token or 'the top'}")
        try:
            return Login(token=token)
        except ValueError as error:
            raise HttpError(f"exchange gave no token: {answer.host} sent a text that is none") from error
