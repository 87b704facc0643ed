"""Keep the standard streams usable, whatever the program was started with."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

_STREAMS = (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w"))


def open_closed_streams() -> None:
    """Open ``/dev/null`` in the place of a closed standard stream, before a socket or a file takes its number."""
    for name, descriptor, mode in _STREAMS:
        if getattr(sys, name) is None:
            _occupy(descriptor)
            setattr(sys, name, os.fdopen(descriptor, mode, closefd=False))


def flush_streams() -> None:
    """Flush what is printed; what cannot be written is dropped, so that the interpreter does not trip over it at its end."""
    for name, descriptor, _ in _STREAMS[1:]:
        try:
            getattr(sys, name).flush()
        except (OSError, ValueError):
            with suppress(OSError):
                _occupy(descriptor)


def _occupy(descriptor: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    if null != descriptor:
        os.dup2(null, descriptor)
        os.close(null)
