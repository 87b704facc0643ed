"""Run a shell command with a deadline, and leave nothing of it behind."""

from __future__ import annotations

import atexit
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Lock

from autoscaler.model import AutoscalerError

_KEPT_ERRORS = 4096  # bytes of standard error, the last ones
_READ_AT_ONCE = 65536  # bytes
_LONGEST_LINE = 200  # characters of an error that are repeated
_NOT_FOUND = 127  # the shell's exit code for a command that does not exist

_all_groups: set[int] = set()  # of the commands under way: a thread that runs one is not waited for when the controller ends
_changing = Lock()  # held while a group is killed, so that its number cannot belong to another group yet


class CommandError(AutoscalerError):
    """A command could not be started, or did not succeed; the text says why."""


class LateCommandError(CommandError):
    """A command was still running at its deadline, and was killed: what it was to do may have been done."""


class LongOutputError(CommandError):
    """A command wrote more than was allowed, and was killed."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command that ended by itself left."""

    code: int  # negative for the signal that killed it
    output: str
    errors: str  # the end of them

    @property
    def failure(self) -> str | None:
        """Say why the command failed, with the last line of its errors, or else of its output; None: it succeeded."""
        if self.code == 0:
            return None
        if self.code < 0:
            return f"the command was killed by signal {-self.code}"
        last = _last_line(self.errors) or _last_line(self.output) or "it wrote no error"
        return f"the command does not exist: {last}" if self.code == _NOT_FOUND else f"the command ended with exit code {self.code}: {last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """How long a command may run, and how much it may write.

    A command is run by ``/bin/sh -c`` in a session of its own, in the controller's folder and environment, with nothing to
    read. When it ends, well or badly, whatever it left behind in its process group is killed.
    """

    timeout_seconds: float
    largest_output: int  # bytes
    _groups: set[int] = field(default_factory=set, init=False, repr=False, compare=False)  # of its commands under way
    _ended: Event = field(default_factory=Event, init=False, repr=False, compare=False)

    def run(self, command: str) -> Finished:
        """Run a command to its end, whatever its exit code.

        Raises ``CommandError`` when it cannot be started or ``kill`` was called, ``LateCommandError`` when it is still running at the deadline, and
        ``LongOutputError`` for too much output.
        """
        deadline = time.monotonic() + self.timeout_seconds
        if self._ended.is_set():
            raise CommandError("no command is run any more")
        with _running(command, self._groups) as process:
            if self._ended.is_set():  # it began while the others were killed
                self.kill()
            output, errors = self._output_of(process, deadline)
        if output is None:
            raise LateCommandError(f"the command gave no answer within {self.timeout_seconds:g} s and was killed")
        if len(output) > self.largest_output:
            raise LongOutputError(f"the command wrote more than {self.largest_output // 1024} KiB")
        return Finished(process.returncode, output.decode("utf-8", "replace"), errors.decode("utf-8", "replace"))

    def kill(self) -> None:
        """Kill the commands that are under way, and run none from now on."""
        self._ended.set()
        _kill(self._groups)

    def _output_of(self, process: subprocess.Popen[bytes], deadline: float) -> tuple[bytes | None, bytes]:
        """Return what a process wrote until it ended, and the end of its errors; ``None`` when it was still running at the deadline.

        The end of the process counts, not that of the pipes: a child in the background may hold those for ever.
        """
        output, errors = bytearray(), bytearray()
        has_ended = False
        with _watched(process, output, errors) as selector:
            while len(output) <= self.largest_output and time.monotonic() < deadline:
                ready = selector.select(0 if has_ended else deadline - time.monotonic())
                if has_ended and not ready:
                    break
                for key, _ in ready:
                    has_ended |= _take(selector, key)
                del errors[:-_KEPT_ERRORS]
        is_known = has_ended or len(output) > self.largest_output
        return (bytes(output) if is_known else None), bytes(errors)


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.split("\n")) if line.strip()), "")[-_LONGEST_LINE:]


def require_command(command: str, key: str, example: str) -> None:
    """Raise ``ValueError`` naming ``key`` for a command that cannot be run; ``example`` says what to write."""
    if not command.strip() or "\0" in command:
        raise ValueError(f"{key} is empty or holds a null byte; write {example}")


@contextmanager
def _running(command: str, groups: set[int]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command, whose group is one of ``groups`` meanwhile; in the end kill the group and reap the command."""
    try:
        process = subprocess.Popen(  # noqa: S603 - running the operator's command is what this module is for
            ["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
    except OSError as error:
        raise CommandError(f"no command can be started now: {error.strerror}") from error
    with process:
        _all_groups.add(process.pid)
        groups.add(process.pid)
        try:
            yield process
        finally:
            # Before it is reaped, so that its number cannot belong to another group yet.
            _kill({process.pid})
            with _changing:
                _all_groups.discard(process.pid)
                groups.discard(process.pid)


def _kill(groups: set[int]) -> None:
    with _changing:
        for group in tuple(groups):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)


atexit.register(_kill, _all_groups)


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
    content = os.read(key.fd, _READ_AT_ONCE)
    if not content:
        selector.unregister(key.fileobj)
    key.data.extend(content)
    return False
