"""Judge what an API answered, and say it in words with what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from autoscaler.act.remote.api import said_by
from autoscaler.act.remote.engine import DONE, Verdict
from autoscaler.http_client import Answer, HttpError
from autoscaler.json_pointer import PointerError, find

if TYPE_CHECKING:
    from autoscaler.act.http.plugin import Http

_REDIRECT, _FAILURE = 300, 400
_BAD, _NO_ACCESS, _FORBIDDEN, _MISSING, _NO_METHOD, _WRONG = 400, 401, 403, 404, 405, 422
_MAYBE_DONE = frozenset({500, 502, 504})  # the server, or one before it, lost its way in the middle


def judge(answer: Answer, plugin: Http, explained: Callable[[], str]) -> Verdict | None:
    """Return what became of a request that was to change something; None: its version was out of date."""
    if answer.status < _REDIRECT:
        return DONE
    if answer.status in plugin.conflict and plugin.read.version:
        return None
    if answer.status in plugin.busy or (answer.status in plugin.conflict):
        return Verdict("waits", explained())
    return Verdict("unclear" if answer.status in _MAYBE_DONE else "refused", explained())


def explain(answer: Answer, wish: str, pointer: str | None, credential: str) -> str:
    """Say what an answer that is no success means; ``wish`` is what was asked for, such as ``set web to 3``."""
    if answer.status < _FAILURE:
        return _redirect(answer)
    said = f"{said_by(answer, _message(answer, pointer))}, asked to {wish}"
    fixes = {
        _BAD: "compare the templates with the API's description",
        _NO_ACCESS: f"renew {credential}",
        _FORBIDDEN: f"give {credential} the right to do that",
        _MISSING: "correct the path, or names",
        _NO_METHOD: "correct write.method or the path",
        _WRONG: "compare the templates with the API's description",
    }
    return f"{said}; {fixes[answer.status]}" if answer.status in fixes else said


def _redirect(answer: Answer) -> str:
    try:
        answer.checked()
    except HttpError as error:
        return str(error)
    return answer.said()


def _message(answer: Answer, pointer: str | None) -> str | None:
    """Return the server's own words, where it has some at the place that the configuration names, or as plain text."""
    if pointer is None:
        is_plain = answer.headers.get("content-type", "").startswith("text/plain")
        return answer.text() if is_plain else None
    try:
        found = find(answer.json(), pointer)
    except (HttpError, PointerError):
        return None
    return found if isinstance(found, str) else json.dumps(found)
