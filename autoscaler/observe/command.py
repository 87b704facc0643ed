"""Read a metric as the output of a command."""

from __future__ import annotations

import atexit
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Annotated

from autoscaler.model import Help, Reading
from autoscaler.observe.number import number_from
from autoscaler.observe.source import Poll, SourceError

_LARGEST_OUTPUT = 65536  # bytes; a number is shorter
_KEPT_ERRORS = 4096  # bytes of standard error, the last ones
_SHARE_OF_TIME = 0.9  # of the poll's, so that the cause arrives in time
_NOT_FOUND = 127  # the shell's exit code for a command that does not exist

_groups: set[int] = set()  # of the commands under way: a poll's thread is not waited for when the controller ends


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSource:
    """The one number that a shell command writes to its standard output.

    The command is run by ``/bin/sh -c`` in a session of its own, in the controller's folder and environment, with nothing to
    read. It has failed when it ends with another exit code than 0, writes anything but one number, or is still running at the
    poll's deadline. When it ends, well or badly, whatever it left behind in its process group is killed.
    """

    command: Annotated[str, Help("shell command that writes one number")]

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a command that cannot be run."""
        if not self.command.strip() or "\0" in self.command:
            raise ValueError("command is empty or holds a null byte; write a shell command that prints one number")

    def read(self, poll: Poll) -> Reading:
        """Run the command and return its number; raise ``SourceError`` when there is none."""
        deadline = time.monotonic() + _SHARE_OF_TIME * poll.timeout_seconds
        with _running(self.command) as process:
            output, errors = _output_of(process, deadline)
        if output is None:
            raise SourceError(f"the command gave no answer within {poll.timeout_seconds:g} s and was killed")
        if len(output) > _LARGEST_OUTPUT:
            raise SourceError(f"the command wrote more than {_LARGEST_OUTPUT // 1024} KiB, not one number")
        _require_success(process.returncode, errors)
        return poll.reading(number_from(output.decode("utf-8", "replace"), "the command's output"))


@contextmanager
def _running(command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command; in the end kill its group and reap it."""
    try:
        process = subprocess.Popen(  # noqa: S603 - running the operator's command is what this source is for
            ["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
    except OSError as error:
        raise SourceError(f"no command can be started now: {error.strerror}") from error
    with process:
        _groups.add(process.pid)
        try:
            yield process
        finally:
            # Before it is reaped, so that its number cannot belong to another group yet.
            _kill(process.pid)
            _groups.discard(process.pid)


def _kill(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _kill_all() -> None:
    for group in tuple(_groups):
        _kill(group)


atexit.register(_kill_all)


def _output_of(process: subprocess.Popen[bytes], deadline: float) -> tuple[bytes | None, bytes]:
    """Return what a process wrote until it ended, and the end of its errors; ``None`` when it was still running at the deadline.

    The end of the process counts, not that of the pipes: a child in the background may hold those for ever.
    """
    output, errors = bytearray(), bytearray()
    has_ended = False
    with _watched(process, output, errors) as selector:
        while len(output) <= _LARGEST_OUTPUT and time.monotonic() < deadline:
            ready = selector.select(0 if has_ended else deadline - time.monotonic())
            if has_ended and not ready:
                break
            for key, _ in ready:
                has_ended |= _take(selector, key)
            del errors[:-_KEPT_ERRORS]
    is_known = has_ended or len(output) > _LARGEST_OUTPUT
    return (bytes(output) if is_known else None), bytes(errors)


@contextmanager
def _watched(process: subprocess.Popen[bytes], output: bytearray, errors: bytearray) -> Iterator[selectors.BaseSelector]:
    """Watch the end of a process, and its two pipes for what belongs into ``output`` and ``errors``."""
    end = os.pidfd_open(process.pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(end, selectors.EVENT_READ, None)
            for pipe, taken in ((process.stdout, output), (process.stderr, errors)):
                if pipe is not None:
                    selector.register(pipe, selectors.EVENT_READ, taken)
            yield selector
    finally:
        os.close(end)


def _take(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> bool:
    """Read what is ready, once; return whether it was the end of the process."""
    if key.data is None:
        selector.unregister(key.fileobj)
        return True
    content = os.read(key.fd, _LARGEST_OUTPUT)
    if not content:
        selector.unregister(key.fileobj)
    key.data.extend(content)
    return False


def _require_success(code: int, errors: bytes) -> None:
    if code == 0:
        return
    lines = errors.decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it wrote no error")[-200:]
    if code < 0:
        raise SourceError(f"the command was killed by signal {-code}")
    if code == _NOT_FOUND:
        raise SourceError(f"the command does not exist: {last}")
    raise SourceError(f"the command ended with exit code {code}: {last}")
