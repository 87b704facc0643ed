"""Find the token that a backend logs in with: in the configuration, in a file, or in the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from autoscaler.act.backend import BackendError
from autoscaler.http_client import is_printable_ascii

_NO_TOKEN = "is empty or holds a space, a line break or another character that no token has"  # noqa: S105 - what is wrong with one


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Where a token is; raises ``ValueError``, without showing it, for one that cannot be sent, and for two at once."""

    given: str | None = field(default=None, repr=False)
    file: str | None = None
    variable: str = ""  # of the environment; used where nothing else is said

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.given is not None and self.file is not None:
            raise ValueError("token and token_file exclude each other; give one of them")
        if self.given is not None and not is_printable_ascii(self.given):
            raise ValueError(f"token {_NO_TOKEN}")

    def read(self) -> str | None:
        """Return the token as it is now, ``None`` where there is none; raise ``BackendError`` for a file or a variable that holds none."""
        if self.given is not None:
            return self.given
        if self.file is not None:
            return _sendable(_content(self.file), f"token_file: {self.file}")
        found = os.environ.get(self.variable)
        return _sendable(found, f"the environment's {self.variable}") if found else None


def _content(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except OSError as error:
        raise BackendError(f"token_file: {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BackendError(f"token_file: {path} holds no token") from error


def _sendable(token: str, where: str) -> str:
    if not is_printable_ascii(token):
        raise BackendError(f"{where} {_NO_TOKEN}")
    return token
