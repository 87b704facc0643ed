"""Configure the backend that sets the number of processes of services of Docker Swarm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from autoscaler.act.backend import Backend, BackendError
from autoscaler.act.remote.api import Server
from autoscaler.act.remote.live import live_engine, observing
from autoscaler.act.remote.naming import TYPE, find_foreign_keys, find_name_mistakes, names_there
from autoscaler.act.swarm.engine import SwarmEngine
from autoscaler.model import Duration, Help, PathName, ProcessType


@dataclass(frozen=True, slots=True, kw_only=True)
class Swarm:
    """Run each process type as a replicated service of Docker Swarm; the services stay when the autoscaler ends."""

    address: Annotated[str, Help("where a manager listens: unix:///PATH of its socket, or https://HOST:2376")] = "unix:///var/run/docker.sock"
    service: Annotated[str, Help("name of a process type's service, such as shop_{type}")] = TYPE
    names: Annotated[Mapping[str, str], Help("what stands for {type}, where it is not the process type's own name")] = field(default_factory=dict)
    ca: Annotated[PathName | None, Help("PEM file of the authority that signed the manager's certificate")] = None
    certificate: Annotated[PathName | None, Help("PEM file of the certificate to show to the manager")] = None
    key: Annotated[PathName | None, Help("PEM file of that certificate's key")] = None
    timeout_seconds: Annotated[Duration, Help("how long a call may take, its answer included")] = 10.0

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for an address that cannot be asked or is open to all, and for files of TLS that belong to none."""
        if self.address.startswith("tcp://"):
            raise ValueError("address begins with tcp://; write https:// in place of it, and ca, certificate and key")
        try:
            server = self._server()
        except ValueError as error:
            raise ValueError(f"address is {error}, or unix:///var/run/docker.sock") from error
        if not server.is_private:
            raise ValueError("address sends everything in the clear, and whoever reaches it owns the machine; use https://, or a Unix socket")
        if "@" in self.address:
            raise ValueError("address holds a user or a password, which a manager does not know; write certificate and key")
        files = [key for key, path in self._files() if path]
        if files and not self.address.startswith("https://"):
            raise ValueError(f"{files[0]} is for an address that begins with https://; remove it, or correct address")
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together; give both or none")

    def connect(self, process_types: tuple[ProcessType, ...], previous: Backend | None) -> Backend:
        """Return the backend; nothing is asked yet. Raises ``BackendError`` when a file of TLS is not there."""
        self._require_files()
        return live_engine(self, process_types, previous, lambda: self._engine(process_types))

    def observer(self, process_types: tuple[ProcessType, ...]) -> Backend:
        """Return a backend to look only."""
        self._require_files()
        return observing(process_types, lambda: self._engine(process_types))

    def mistakes(self, process_types: tuple[ProcessType, ...]) -> tuple[tuple[str, str], ...]:
        """Return (process type, sentence) for everything that would keep this backend from running them."""
        return (*find_name_mistakes(process_types, self.service, self.names), *find_foreign_keys(process_types, "Docker Swarm"))

    def _server(self) -> Server:
        return Server(url=self.address, ca=self.ca, certificate=self.certificate, key=self.key, timeout_seconds=self.timeout_seconds)

    def _engine(self, process_types: tuple[ProcessType, ...]) -> SwarmEngine:
        return SwarmEngine(self._server(), names_there(process_types, self.service, self.names))

    def _files(self) -> Iterator[tuple[str, str | None]]:
        yield from (("ca", self.ca), ("certificate", self.certificate), ("key", self.key))

    def _require_files(self) -> None:
        for key, path in self._files():
            if path is None:
                continue
            try:
                Path(path).read_bytes()
            except OSError as error:
                raise BackendError(f"backend swarm: {key}: {path} cannot be read: {error.strerror}; correct {key}") from error
