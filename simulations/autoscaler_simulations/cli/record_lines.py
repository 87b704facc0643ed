"""Read the lines of a record from a file or from standard input, with a bar where somebody watches."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from autoscaler.record import RecordError
from autoscaler_simulations.cli.progress import follow

STANDARD_INPUT = "-"
_LONG = 4_000_000  # bytes; a shorter record is read before a bar could tell anything


@contextmanager
def record_lines(name: str) -> Iterator[Iterator[str]]:
    """Open a record and hand out its lines; raise ``RecordError`` when it cannot be read."""
    if name == STANDARD_INPUT:
        with _standard_input() as file:
            yield _read("standard input", file)
        return
    with _open(name) as file:
        size = os.fstat(file.fileno()).st_size
        yield _read(name, follow(_counted(file), size, "replay") if size > _LONG else file)


# What is no UTF-8 is read as a mark in its place: the line is then cut off, or no record, and said to be so.


@contextmanager
def _standard_input() -> Iterator[IO[str]]:
    file = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", errors="replace", newline="\n")
    try:
        yield file
    finally:
        file.detach()  # it is not ours to close


def _open(name: str) -> IO[str]:
    try:
        return Path(name).open(encoding="utf-8-sig", errors="replace", newline="\n")
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from error


def _read(name: str, lines: Iterator[str] | IO[str]) -> Iterator[str]:
    try:
        yield from lines
    except OSError as error:
        raise _unreadable(name, error) from error


def _unreadable(name: str, error: OSError | ValueError) -> RecordError:
    cause = error.strerror if isinstance(error, OSError) else str(error)
    return RecordError(f"the record {name} cannot be read: {cause}; name a file that `autoscaler run --record FILE` wrote")


def _counted(file: IO[str]) -> Iterator[tuple[float, str]]:
    """Yield each line with how many characters were read by then, which is about as many bytes."""
    taken = 0
    for line in file:
        taken += len(line)
        yield taken, line
