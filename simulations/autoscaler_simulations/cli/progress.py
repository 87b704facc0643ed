"""Show on a terminal how far a long piece of work has come."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

_PARTS = 500  # steps of a bar


def follow(reached: Iterable[float], whole: float, what: str) -> Iterator[float]:
    """Pass on how far the work is, of ``whole``, and draw a bar on standard error when that is a terminal."""
    if not sys.stderr.isatty():
        yield from reached
        return
    # Imported here: rich is only needed where somebody looks.
    from rich.console import Console  # noqa: PLC0415 - see above
    from rich.progress import Progress  # noqa: PLC0415 - see above

    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar, shown = progress.add_task(what, total=whole), 0.0
        for at in reached:
            if at - shown >= whole / _PARTS:
                progress.update(bar, completed=at)
                shown = at
            yield at
