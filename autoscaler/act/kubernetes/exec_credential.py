"""Get a token from the program that a kubeconfig names, as those of EKS and GKE do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from pydantic import TypeAdapter, ValidationError

from autoscaler.act.kubernetes.shapes import Shape
from autoscaler.clock import Clock, SystemClock
from autoscaler.http_client import HttpError, is_printable_ascii
from autoscaler.model import Json

_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_DEADLINE_SECONDS = 20.0
_EARLY_SECONDS = 30.0  # before its end a token is replaced, so that none ends on its way
_FAILED_SECONDS = 5.0  # between two tries of a program that fails


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that writes a credential to its standard output."""

    command: str
    arguments: tuple[str, ...] = field(default=(), repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    version: str = _VERSIONS[0]
    cluster: Json = None  # what it is told of the cluster, where it asks for that
    hint: str = ""  # how to install it


class _Status(Shape):
    token: str = ""
    expirationTimestamp: datetime | None = None  # noqa: N815 - as Kubernetes writes it
    clientCertificateData: str = ""  # noqa: N815


class _Credential(Shape):
    kind: str
    apiVersion: str  # noqa: N815
    status: _Status = _Status()


_CREDENTIAL = TypeAdapter(_Credential)


class ExecToken:
    """The token that a program gives; it is run when there is none, when the token ends, and when it was not accepted."""

    def __init__(self, program: Program, clock: Clock | None = None) -> None:
        """Get tokens from ``program``, which first runs when the first one is needed."""
        self.origin = f"of the exec plugin {program.command}"
        self._program = program
        self._clock = clock or SystemClock()
        self._lock = Lock()
        self._token: str | None = None
        self._ends: float | None = None  # seconds since the epoch
        self._failure: tuple[float, str] | None = None

    def token(self) -> str | None:
        """Return a token that is still good; raise ``HttpError`` saying why there is none."""
        with self._lock:
            is_over = self._ends is not None and self._clock.wall() >= self._ends - _EARLY_SECONDS
            if self._token is None or is_over:
                self._replace()
            return self._token

    def renew(self, refused: str | None) -> bool:
        """Forget that token, so that the program runs again: once, however many calls were refused with it."""
        with self._lock:
            if self._token == refused:
                self._token = None
            return refused is not None

    def _replace(self) -> None:
        if self._failure and self._clock.now() - self._failure[0] < _FAILED_SECONDS:
            raise HttpError(self._failure[1])
        try:
            status = _fresh(self._program.command, _read(self._program.command, _run(self._program)), self._clock.wall())
        except HttpError as error:
            self._failure = self._clock.now(), str(error)
            raise
        self._token, self._failure = status.token, None
        self._ends = status.expirationTimestamp.timestamp() if status.expirationTimestamp else None


def check_version(version: str) -> None:
    """Raise ``ValueError`` for a form of credentials that is not spoken here."""
    if version not in _VERSIONS:
        raise ValueError(f"its exec plugin speaks {version or 'no version'}; {_VERSIONS[0]} is spoken here: update the plugin")


def _run(program: Program) -> bytes:
    """Run the program within its deadline; what it writes to its standard error may hold secrets and is not shown."""
    spec: dict[str, Json] = {"interactive": False} | ({"cluster": program.cluster} if program.cluster else {})
    info = json.dumps({"apiVersion": program.version, "kind": "ExecCredential", "spec": spec})
    environment = {**os.environ, **program.environment, "KUBERNETES_EXEC_INFO": info}
    try:
        with subprocess.Popen(  # noqa: S603 - the kubeconfig of the user names it
            [program.command, *program.arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,
        ) as running:
            return _output(program, running)
    except (OSError, ValueError) as error:
        hint = f": {' '.join(program.hint.split())[:200]}" if program.hint else "; install it"
        raise HttpError(f"the exec plugin {program.command} cannot be run ({getattr(error, 'strerror', None) or error}){hint}") from error


def _output(program: Program, running: subprocess.Popen[bytes]) -> bytes:
    try:
        output, _ = running.communicate(timeout=_DEADLINE_SECONDS)
    except subprocess.TimeoutExpired as error:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        raise HttpError(f"the exec plugin {program.command} gave no token within {_DEADLINE_SECONDS:g} s") from error
    if running.returncode:
        raise HttpError(f"the exec plugin {program.command} failed with {running.returncode}; kubectl shows its own words: log in again there")
    return output


def _read(command: str, output: bytes) -> _Status:
    try:
        found = _CREDENTIAL.validate_json(output)
    except ValidationError as error:
        raise HttpError(f"the exec plugin {command} wrote no ExecCredential") from error
    if found.kind != "ExecCredential" or found.apiVersion not in _VERSIONS:
        raise HttpError(f"the exec plugin {command} wrote no ExecCredential of {_VERSIONS[0]}")
    if not is_printable_ascii(found.status.token):
        other = "a certificate, which is not supported here" if found.status.clientCertificateData else "no token"
        raise HttpError(f"the exec plugin {command} gave {other}; use a service account's token")
    return found.status


def _fresh(command: str, status: _Status, wall: float) -> _Status:
    if status.expirationTimestamp and status.expirationTimestamp.timestamp() <= wall:
        raise HttpError(f"the exec plugin {command} gave a token that has ended already; log in again, or set the clock right")
    return status
