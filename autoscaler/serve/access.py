"""Decide who may ask."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address

from autoscaler.serve.message import Request, Response, sentence

_OPEN_PATHS = frozenset({"/-/healthy", "/-/ready"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The rules of one listener.

    With a token everybody who knows it may ask. Health and readiness answer without it: they tell one fixed sentence about the
    controller and nothing about the formation, and the probes of load balancers and orchestrators cannot keep a secret.

    Without a token the Host header must name this machine: a web page whose name was made to resolve to this machine (DNS
    rebinding) has the browser send its own name. A request without the header comes from no browser. With TLS the browser itself
    compares the name with the certificate, so the header is not checked again.
    """

    hosts: frozenset[str]  # names and addresses of this machine, in lower case
    token: str | None = None
    is_encrypted: bool = False

    def refuse(self, request: Request) -> Response | None:
        """Return the refusal of a request, ``None`` when it is to be answered."""
        if self.token is not None:
            return None if request.path in _OPEN_PATHS else _refuse_token(request, self.token)
        if self.is_encrypted or self._is_ours(request):
            return None
        fix = "ask by its address or its own name, or set listen_token"
        return sentence(HTTPStatus.MISDIRECTED_REQUEST, f"Host {request.host!r} is no name of this machine; {fix}.")

    def _is_ours(self, request: Request) -> bool:
        name = _name(request.host)
        if not request.host or name in self.hosts or name == "localhost":
            return True
        address = _address(name)
        return address is not None and (address.is_loopback or address == _address(request.local_host))


def _refuse_token(request: Request, token: str) -> Response | None:
    scheme, _, given = request.authorization.partition(" ")
    # Headers are read as Latin-1, so that these are the bytes that were sent.
    if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode("latin-1"), token.encode()):
        return None
    text = "This needs the token of listen_token: send it as `Authorization: Bearer TOKEN`."
    return sentence(HTTPStatus.UNAUTHORIZED, text, ("WWW-Authenticate", "Bearer"))


def _name(host: str) -> str:
    """Take the port and the brackets off a Host header."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].rstrip(".").lower()


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(name)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
