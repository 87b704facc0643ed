"""Get a page once, from any thread, with connections of the thread's own."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from autoscaler.http_client.answer import Answer, is_printable_ascii
from autoscaler.http_client.connections import Connections, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a server asks for before it answers: a bearer token, or a user and a password, or nothing.

    Raises ``ValueError``, without showing the secret, when both are given, when the user is missing, or when the token
    holds anything but printable ASCII characters.
    """

    token: str | None = field(default=None, repr=False)
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be sent."""
        if self.token is not None and self.user is not None:
            raise ValueError("token and user exclude each other; give one of them")
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together; give both or none")
        if self.token is not None and not is_printable_ascii(self.token):
            raise ValueError("token is empty or holds a space, a line break or another character that no token has")
        if self.user is not None and ":" in self.user:
            raise ValueError("user holds a colon, which basic authentication cannot send")

    def headers(self) -> dict[str, str]:
        """Return the header that logs a request in, if there is one."""
        if self.token is not None:
            return {"Authorization": f"Bearer {self.token}"}
        if self.user is None:
            return {}
        return {"Authorization": f"Basic {base64.b64encode(f'{self.user}:{self.password}'.encode()).decode()}"}


def get(
    url: str,
    *,
    timeout_seconds: float,
    login: Login | None = None,
    parameters: Mapping[str, str] | None = None,
    accept: str = "application/json",
) -> Answer:
    """Get a page, body included, within ``timeout_seconds``; certificates are checked against ``$SSL_CERT_FILE``, else the public authorities.

    Raises ``HttpError``. As ``Connections.send`` does, it follows no redirect and asks a server that takes no connection again.
    """
    headers = {"Accept": accept, **(login.headers() if login else {})}
    return _thread.connections.send(Request(url=url, timeout_seconds=timeout_seconds, query=parameters or {}, headers=headers))


class _Thread(threading.local):
    def __init__(self) -> None:
        self.connections = Connections()


_thread = _Thread()
