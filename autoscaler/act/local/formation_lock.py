"""Let one controller at a time run a formation, and let others ask it what runs."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path

from autoscaler.act.backend import BackendError

_ATTEMPTS = 5
_PAUSE_SECONDS = 0.02
_ANSWER_SECONDS = 3.0
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid
_PIECE_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of a local socket."""

    pid: int
    uid: int


def lock_formation(procfile: Path) -> socket.socket:
    """Hold the formation of this Procfile until the socket is closed; raise ``BackendError`` naming who holds it.

    The name lies in the abstract namespace: it vanishes with its process, so there is nothing stale to remove.
    """
    for attempt in range(_ATTEMPTS):
        lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            lock.bind(_name(procfile))
            lock.listen(8)
            lock.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        except OSError as error:
            lock.close()
            if error.errno != errno.EADDRINUSE:
                raise BackendError(f"the formation of {_place(procfile)} cannot be locked: {error.strerror}") from error
            _refuse_if_held(procfile)
            time.sleep(_PAUSE_SECONDS * attempt)  # its holder went away between the two calls
        else:
            return lock
    raise BackendError(f"the formation of {_place(procfile)} is held by a program that does not answer; end it first")


def ask_formation(procfile: Path) -> bytes | None:
    """Return what the running controller of this Procfile tells; None when none runs. Raise ``BackendError`` when it does not answer."""
    client = _connect(procfile)
    if client is None:
        return None
    with client:
        peer = read_peer(client)
        if peer.uid != os.getuid():
            raise BackendError(_describe_stranger(procfile, peer))
        try:
            return _read_all(client)
        except OSError as error:
            raise BackendError(f"the autoscaler (pid {peer.pid}) that runs the formation of {_place(procfile)} does not answer") from error


def read_peer(connection: socket.socket) -> Peer:
    """Return the process at the other end, as the kernel knows it."""
    pid, uid, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return Peer(pid, uid)


def may_ask(client: socket.socket) -> bool:
    """Tell whether the other end belongs to this user or to root."""
    return read_peer(client).uid in {os.getuid(), 0}


def _name(procfile: Path) -> bytes:
    digest = hashlib.sha256(f"{os.getuid()}:{procfile}".encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return b"\0autoscaler/formation/" + digest.encode()


def _place(procfile: Path) -> Path:
    """Name the formation for people: its Procfile, or its folder when it has none."""
    return procfile if procfile.exists() else procfile.parent


def _connect(procfile: Path) -> socket.socket | None:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(_ANSWER_SECONDS)
    try:
        _connect_in_time(client, _name(procfile))
    except ConnectionRefusedError:
        client.close()
        return None
    except OSError as error:
        client.close()
        raise BackendError(f"the autoscaler that runs the formation of {_place(procfile)} does not answer: {error}") from error
    return client


def _connect_in_time(client: socket.socket, name: bytes) -> None:
    """Connect, and try again while more ask at once than the holder's queue holds."""
    deadline = time.monotonic() + _ANSWER_SECONDS
    while True:
        try:
            return client.connect(name)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)


def _refuse_if_held(procfile: Path) -> None:
    client = _connect(procfile)
    if client is None:
        return
    with client:
        peer = read_peer(client)
    if peer.uid != os.getuid():
        raise BackendError(_describe_stranger(procfile, peer))
    place = _place(procfile)
    if peer.pid == os.getpid():
        raise BackendError(f"this autoscaler already runs the formation of {place} by another backend; give each backend its own procfile")
    other = "another Procfile" if place == procfile else "another folder"
    raise BackendError(f"another autoscaler (pid {peer.pid}) already runs the formation of {place}; end it first, or use {other}")


def _describe_stranger(procfile: Path, peer: Peer) -> str:
    return (
        f"the formation of {_place(procfile)} is held by a program of another user (uid {peer.uid}, pid {peer.pid}); "
        f"have them end it, or use another Procfile"
    )


def _read_all(client: socket.socket) -> bytes:
    """Read to the end, for a few seconds at most."""
    deadline = time.monotonic() + _ANSWER_SECONDS
    pieces: list[bytes] = []
    while piece := client.recv(_PIECE_BYTES):
        pieces.append(piece)
        client.settimeout(max(0.001, deadline - time.monotonic()))
    return b"".join(pieces)
