"""Hold the token that proves who asks: a fixed one, or one in a file that others keep fresh."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Protocol

from autoscaler.http_client import HttpError, is_printable_ascii

_LOOK_SECONDS = 10.0  # between two looks whether the file has changed


class Tokens(Protocol):
    """Where a token comes from; safe from any thread."""

    @property
    def origin(self) -> str:
        """Say in a few words where it comes from, to follow on "the credentials"."""

    def token(self) -> str | None:
        """Return the token to send now, ``None`` for none; raise ``HttpError`` when there should be one."""

    def renew(self, refused: str | None) -> bool:
        """Take in that a token was not accepted; tell whether there may be another one now."""


class FixedToken:
    """A token that stays as it is, or none where a certificate stands for it."""

    def __init__(self, token: str | None, origin: str) -> None:
        """Send ``token``, which comes from ``origin``."""
        self._token = token
        self.origin = origin

    def token(self) -> str | None:
        """Return it."""
        return self._token

    def renew(self, refused: str | None) -> bool:
        """Say whether there is another one."""
        return refused != self._token


class TokenFile:
    """A token in a file, which is read again when the file changes: Kubernetes replaces the one of a service account each hour."""

    def __init__(self, path: Path, now: Callable[[], float] = time.monotonic) -> None:
        """Read ``path``; raise ``HttpError`` when it holds no token."""
        self.origin = f"of the token in {path}"
        self._path = path
        self._now = now
        self._lock = Lock()
        self._looked = now()
        self._stamp = self._stamp_now()
        self._token = self._read()

    def token(self) -> str | None:
        """Return the token of the file, which is looked at every 10 s; while it cannot be read, the one before."""
        with self._lock:
            if self._now() - self._looked >= _LOOK_SECONDS:
                self._look()
            return self._token

    def renew(self, refused: str | None) -> bool:
        """Read the file again, and tell whether it holds another token."""
        with self._lock:
            self._stamp = None
            self._look()
            return self._token != refused

    def _look(self) -> None:
        self._looked = self._now()
        stamp = self._stamp_now()
        if stamp is None or stamp == self._stamp:
            return
        try:
            self._token = self._read()
        except HttpError:
            return
        self._stamp = stamp

    def _stamp_now(self) -> tuple[int, int, int] | None:
        """Return what differs when the file is replaced, which a mounted secret is by moving a symbolic link."""
        try:
            seen = self._path.stat()
        except OSError:
            return None
        return seen.st_ino, seen.st_mtime_ns, seen.st_size

    def _read(self) -> str:
        try:
            token = self._path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise HttpError(f"the token in {self._path} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}") from error
        if not is_printable_ascii(token):
            raise HttpError(f"{self._path} is empty or holds a character that no token has")
        return token
