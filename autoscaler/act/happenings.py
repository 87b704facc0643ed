"""Keep what happened in a backend until somebody asks."""

from __future__ import annotations

from collections import deque

_REMEMBERED_HAPPENINGS = 1000  # if nobody observes for long, the oldest are forgotten


class Happenings:
    """What happened since somebody last asked, in sentences; safe from any thread."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._sentences: deque[str] = deque(maxlen=_REMEMBERED_HAPPENINGS)

    def tell(self, sentence: str) -> None:
        """Remember one sentence."""
        self._sentences.append(sentence)

    def take(self) -> tuple[str, ...]:
        """Return all sentences and forget them."""
        return tuple(self._sentences.popleft() for _ in range(len(self._sentences)))
