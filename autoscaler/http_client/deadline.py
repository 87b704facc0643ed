"""Give every wait on a connection what is left of one deadline, from the connection to the last byte of the body.

The timeout of a socket is for each single wait, so a server that drips one byte every half second would never end.
"""

from __future__ import annotations

import http.client
import io
import math
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class _Thread(threading.local):
    deadline = math.inf
    has_sent = False
    use: Callable[[socket.socket], None] = staticmethod(lambda _: None)


_thread = _Thread()


def begin(deadline: float, use: Callable[[socket.socket], None]) -> None:
    """Set when the request that this thread begins now must be over, in seconds of ``time.monotonic``, and who hears of its socket."""
    _thread.deadline = deadline
    _thread.has_sent = False
    _thread.use = use


def has_sent() -> bool:
    """Tell whether the server may know of the request that this thread began last."""
    return _thread.has_sent


def seconds_left() -> float:
    """Return the seconds until the deadline of this thread, 0 when it has passed."""
    return max(0.0, _thread.deadline - time.monotonic())


def _wait() -> float:
    left = seconds_left()
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return left


class _DeadlineReader(io.RawIOBase):
    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._raw = connected.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._socket.settimeout(_wait())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None) -> None:
        super().__init__(sock, debuglevel, method, url)
        self.fp.close()
        self.fp = io.BufferedReader(_DeadlineReader(sock))


class _DeadlineConnection(HTTPConnection):
    response_class = _Response

    def send(self, data: Any) -> None:  # Any: whatever http.client takes for a body
        """Note that the server may know of the request from now on; connecting and its TLS come before."""
        if self.sock is None:
            self.connect()
        _thread.use(self.sock)
        _thread.has_sent = True
        super().send(data)

    def _new_conn(self) -> socket.socket:
        """Try the addresses of the host one after the other, each with its share of the time left."""
        addresses = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        failure: OSError | None = None
        for position, (family, kind, protocol, _, address) in enumerate(addresses):
            connected = socket.socket(family, kind, protocol)
            try:
                connected.settimeout(_wait() / (len(addresses) - position))
                connected.connect(address)
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                connected.close()
                failure = error
            else:
                return connected
        failure = failure or TimeoutError("the host has no address")
        raise NewConnectionError(self, str(failure)) from failure  # urllib3 passes over a bare ConnectionResetError


class _DeadlineTlsConnection(_DeadlineConnection, HTTPSConnection):
    def connect(self) -> None:
        """Check chain and name as ever, and let pass authorities that do not keep to the letter of RFC 5280, as those of many clusters."""
        self.ssl_context = create_urllib3_context()  # anew each time: the authorities of a file may have changed
        self.ssl_context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # set by urllib3 from Python 3.13 on
        super().connect()


class _UnixConnection(_DeadlineConnection):
    def __init__(self, *arguments: Any, socket_path: str, **options: Any) -> None:  # Any: urllib3's own, handed through
        super().__init__(*arguments, **options)
        self._socket_path = socket_path

    def _new_conn(self) -> socket.socket:
        connected = socket.socket(socket.AF_UNIX)
        try:
            connected.settimeout(_wait())
            connected.connect(self._socket_path)
        except OSError as error:
            connected.close()
            raise NewConnectionError(self, str(error)) from error
        return connected


class DeadlinePool(HTTPConnectionPool):
    """Connections to one host over plain TCP that keep the deadline of the thread that uses them."""

    ConnectionCls = _DeadlineConnection


class DeadlineTlsPool(HTTPSConnectionPool):
    """Connections to one host over TLS that keep the deadline of the thread that uses them."""

    ConnectionCls = _DeadlineTlsConnection


class UnixPool(HTTPConnectionPool):
    """Connections to one Unix socket that keep the deadline of the thread that uses them."""

    ConnectionCls = _UnixConnection

    def __init__(self, path: str, maxsize: int) -> None:
        """Keep at most ``maxsize`` connections to the socket at ``path``."""
        super().__init__("localhost", maxsize=maxsize, socket_path=path)
