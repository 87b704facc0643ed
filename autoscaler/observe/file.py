"""Read a metric from a file that something else keeps up to date."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import Annotated

from autoscaler.model import FilePath, Help, Reading
from autoscaler.observe.number import number_from
from autoscaler.observe.source import Poll, SourceError

_LARGEST = 4096  # bytes; a number is shorter


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource:
    """One number in a file, as old as the file's last modification.

    The file holds the number and white space, nothing else. Write it anew under another name and rename it, so that it is never
    read half written. Only a regular file counts: a pipe or a device could block.
    """

    path: Annotated[str, FilePath(), Help("the file that holds the number")]

    def read(self, poll: Poll) -> Reading:
        """Return the number in the file; raise ``SourceError`` when there is none."""
        try:
            content, modified_at = _read_regular(self.path)
        except FileNotFoundError as error:
            raise SourceError(f"no file {self.path}") from error
        except (OSError, ValueError) as error:  # ValueError: a null byte in the path
            raise SourceError(f"cannot read {self.path}: {getattr(error, 'strerror', None) or error}") from error
        if len(content) > _LARGEST:
            raise SourceError(f"{self.path} holds more than {_LARGEST} bytes, not one number")
        return poll.reading(number_from(content.decode("utf-8", "replace"), self.path), age_seconds=poll.at - modified_at)


def _read_regular(path: str) -> tuple[bytes, float]:
    """Return the beginning of a file and when it was modified, in wall seconds; never wait for the writer of a pipe."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SourceError(f"{path} is a {_kind(status.st_mode)}, not a file")
        return os.read(descriptor, _LARGEST + 1), status.st_mtime
    finally:
        os.close(descriptor)


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "folder"
    return "pipe" if stat.S_ISFIFO(mode) else "device"
