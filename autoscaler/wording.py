"""Write what others said, so that it fits into a sentence of ours."""

from __future__ import annotations

_SHOWN = 40  # characters of a text that is repeated


def shown(text: str) -> str:
    """Quote a text on one line, cut where it gets long, so that a hostile one cannot flood a log."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
