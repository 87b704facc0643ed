"""Show on a terminal how far a long piece of work has come."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

Step = TypeVar("Step")
_PARTS = 500  # moves of a bar


def follow(steps: Iterable[tuple[float, Step]], whole: float, what: str) -> Iterator[Step]:
    """Pass on the steps of a work, each given with how far it has come of ``whole``; draw a bar when standard error is a terminal."""
    if not sys.stderr.isatty():
        yield from (step for _, step in steps)
        return
    # Imported here: rich is only needed where somebody looks.
    from rich.console import Console  # noqa: PLC0415 - see above
    from rich.progress import Progress  # noqa: PLC0415 - see above

    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar, shown = progress.add_task(what, total=whole), 0.0
        for reached, step in steps:
            if reached - shown >= whole / _PARTS:
                progress.update(bar, completed=reached)
                shown = reached
            yield step
