"""Keep the garbage collector out of a tick: with thousands of types it would look at every value they hold, hundreds of times."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collected_afterwards() -> Iterator[None]:
    """Collect nothing within, and what became garbage afterwards, when something is next allocated."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
