"""Ask many endpoints at once, so that none waits for another."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from threading import Thread

from autoscaler.http_client import Answer, HttpError, Login
from autoscaler.observe.endpoint import ask
from autoscaler.observe.source import Poll, SourceError

_THREADS = 64
_SHARE_OF_TIME = 0.8  # of the poll's: one silent endpoint must not make the answers of the others late


def ask_each(urls: Mapping[str, str], poll: Poll, accept: str) -> dict[str, Answer | SourceError]:
    """Return the answer of each endpoint, by its name, or why there is none; ends within the deadline of ``poll``."""
    until = time.monotonic() + _SHARE_OF_TIME * poll.timeout_seconds
    waiting = deque(urls.items())
    answers: dict[str, Answer | SourceError] = {}

    def work() -> None:
        while waiting:
            try:
                name, url = waiting.popleft()
            except IndexError:  # another thread took the last one
                return
            answers[name] = _asked(url, replace(poll, timeout_seconds=max(0.0, until - time.monotonic())), accept)

    # Daemons: nothing waits at exit for a name server that does not answer.
    threads = [Thread(target=work, daemon=True) for _ in range(min(_THREADS, len(urls)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until + 0.1 * poll.timeout_seconds - time.monotonic()))
    came = dict(answers)
    return {name: came.get(name, SourceError("no answer in time")) for name in urls}


def _asked(url: str, poll: Poll, accept: str) -> Answer | SourceError:
    try:
        return ask(url, poll, Login(), accept=accept).checked()
    except HttpError as error:
        return SourceError(str(error))
    except SourceError as error:
        return error
