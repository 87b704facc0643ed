"""Serve hostile and friendly pages on loopback."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator

Handler = Callable[[socket.socket, str, dict[str, str]], None]  # connection, request target, headers by lower-case name


def page(body: str | bytes, status: str = "200 OK", kind: str = "application/json", headers: str = "") -> Handler:
    """Answer every request with one page."""
    content = body.encode() if isinstance(body, str) else body

    def answer(connection: socket.socket, _target: str, _headers: dict[str, str]) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n{headers}\r\n"
        connection.sendall(head.encode() + content)

    return answer


def pages(*bodies: str | Handler) -> Handler:
    """Answer the first request with the first body, the next with the next, and the last for ever."""
    waiting = [body if callable(body) else page(body) for body in bodies]

    def answer(connection: socket.socket, target: str, headers: dict[str, str]) -> None:
        handler = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        handler(connection, target, headers)

    return answer


def raw(content: bytes) -> Handler:
    """Answer with these bytes and close."""

    def answer(connection: socket.socket, _target: str, _headers: dict[str, str]) -> None:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_RDWR)

    return answer


def dripping(head: bytes) -> Handler:
    """Answer with ``head`` and then one byte every 20 ms for ever."""

    def answer(connection: socket.socket, _target: str, _headers: dict[str, str]) -> None:
        connection.sendall(head)
        while not _ended.wait(0.02):
            connection.sendall(b"1")

    return answer


def silent(connection: socket.socket, _target: str, _headers: dict[str, str]) -> None:
    """Take the request and never answer."""
    connection.recv(1)


_ended = threading.Event()  # never set: the client's close ends a drip


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    handler: Handler

    def __init__(self, handler: Handler) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.handler = handler
        self.taken: list[socket.socket] = []

    def close_connections(self) -> None:
        for connection in self.taken:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Connection(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.server.taken.append(self.connection)
        with contextlib.suppress(OSError):
            while line := self.rfile.readline():
                headers = {}
                while (header := self.rfile.readline().decode("latin-1").strip()) and ":" in header:
                    name, _, value = header.partition(":")
                    headers[name.lower()] = value.strip()
                self.server.handler(self.connection, line.split()[1].decode(), headers)


@contextlib.contextmanager
def serving(handler: Handler) -> Iterator[str]:
    """Serve on a free loopback port; yield the server's URL."""
    with _Server(handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.close_connections()
            thread.join()
