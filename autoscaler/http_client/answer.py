"""What a server answered, or why it did not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from autoscaler.model import AutoscalerError, Json

_FIRST_REDIRECT, _FIRST_FAILURE = 300, 400
_LOOKED_AT = 65536  # bytes of a body that tell what kind of page it is


class HttpError(AutoscalerError):
    """A server gave no usable answer; the text names the host and what happened, and never a secret."""


class UnclearError(HttpError):
    """A request that changes something was sent, and no whole answer came: it may have been done."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, whatever its status."""

    host: str
    status: int
    location: str = ""  # where a redirect points to, without credentials and query
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # by name in lower case

    def checked(self) -> Answer:
        """Return this answer; raise ``HttpError`` unless its status says success."""
        if self.status < _FIRST_REDIRECT:
            return self
        if self.status < _FIRST_FAILURE and self.location:
            raise HttpError(f"{self.said()}, a redirect to {self.location}; redirects are not followed, so write that address")
        raise HttpError(self.said())

    def json(self) -> Json:
        """Read the body as JSON; raise ``HttpError`` saying what it is instead."""
        try:
            document: Json = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            content = self.page()
            raise HttpError(f"{self.host} answered with {f'{content}, not' if content else 'a body that is not'} JSON") from error
        return document

    def text(self) -> str:
        """Read the body as UTF-8, with a mark in place of what is not."""
        return self.body.decode("utf-8", "replace")

    def page(self) -> str | None:
        """Name what a wrong address or a proxy's failure often answers with: an empty page or HTML; ``None`` for anything else."""
        start = self.body[:_LOOKED_AT].lstrip().lower()
        if not start:
            return "an empty page"
        return "HTML" if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) else None

    def said(self) -> str:
        """Say who answered with which status."""
        known = {status.value: f" {status.phrase}" for status in HTTPStatus}
        return f"{self.host} answered {self.status}{known.get(self.status, '')}"


def is_printable_ascii(text: str) -> bool:
    """Tell whether a text can be sent in a header, as tokens are."""
    return bool(text) and all("!" <= letter <= "~" for letter in text)
