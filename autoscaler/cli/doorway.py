"""Keep one listener open, and move it when a reload says so."""

from __future__ import annotations

from autoscaler.model import Address
from autoscaler.serve.http import ServeError, Server
from autoscaler.serve.site import Site
from autoscaler.settings import Listen


class Doorway:
    """The listener of a controller, or none."""

    def __init__(self, site: Site) -> None:
        """Take what to answer; nothing is opened yet."""
        self._site = site
        self._listen: Listen | None = None
        self._server: Server | None = None

    def open(self, listen: Listen | None) -> Address | None:
        """Listen, and return the bound address; raise ``ServeError``."""
        if listen is not None:
            server = Server(listen, self._site)
            address = server.start()
            self._listen, self._server = listen, server
            return address
        return None

    def move(self, listen: Listen | None) -> None:
        """Listen elsewhere; raise ``ServeError`` and stay where it was when that cannot be."""
        if listen == self._listen and not (listen and listen.certificate):
            return  # a certificate may have been renewed under the same name
        before = self._listen
        self.close()
        try:
            self.open(listen)
        except ServeError:
            self.open(before)
            raise

    def close(self) -> None:
        """Stop listening."""
        if self._server:
            self._server.close()
        self._listen = self._server = None
