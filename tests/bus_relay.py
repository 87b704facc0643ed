"""Stand between a client and a real bus, so that a test can cut the connection and mend it."""

from __future__ import annotations

import shutil
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Thread

_CHUNK = 65536


class BusRelay:
    """A Unix socket ``bus`` in a folder of its own; whatever comes through it goes to the real bus and back."""

    def __init__(self, bus: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="relay-"))
        self._bus = bus
        self._open: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.mend()

    def mend(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.folder / "bus"))
        self._listener.listen()
        Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        self._close(self._listener)
        (self.folder / "bus").unlink()
        for each in self._open:
            self._close(each)
        self._open.clear()

    def discard(self) -> None:
        with suppress(FileNotFoundError):
            self.cut()
        shutil.rmtree(self.folder)

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self._bus))
                self._open += [client, server]
                for source, target in ((client, server), (server, client)):
                    Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                target.sendall(data)
        self._close(target)

    def _close(self, end: socket.socket) -> None:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
