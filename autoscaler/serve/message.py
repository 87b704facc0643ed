"""A request and its response, apart from sockets."""

from __future__ import annotations

from dataclasses import dataclass

_PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asks, as far as it matters here."""

    path: str
    query: str = ""
    host: str = ""  # the Host header, empty when there is none
    authorization: str = ""
    accept: str = ""
    accept_encoding: str = ""
    local_host: str = ""  # the address of this machine that the client connected to


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered; ``headers`` hold everything but the length."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("Content-Type", _PLAIN),)


def sentence(status: int, text: str, *headers: tuple[str, str]) -> Response:
    """Answer with one sentence."""
    return Response(status, f"{text}\n".encode(), (("Content-Type", _PLAIN), *headers))
